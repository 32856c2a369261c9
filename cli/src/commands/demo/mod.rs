//! `tidegate demo`: the main job, shown on this machine through the doors that everyone has: this program, the AWS CLI.

mod access;
mod visitor;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use clap::Parser as _;
use jiff::{Timestamp, ToSpan as _};
use local::cloud::{Cloud, ENGINE_PORT, MINISTACK_PORT, project_root};
use statemachine::RunId;
use statemachine::run::{Phase, Run};
use tokio::process::Command;

use crate::args::Cli;
use crate::context::{Context, current_folder};
use crate::error::Error;
use crate::target::{self, Session};
use crate::{follow, interrupt};

const PIPELINE: &str = "breast-cancer";
const EXAMPLE: &str = "pipelines/breast-cancer";

/// How long one piece of evidence may take to appear. A run takes seconds; a busy machine, a minute.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Debug, clap::Args)]
#[command(after_help = "It starts the local cloud if none runs, and stops it again unless --keep is given.")]
pub(crate) struct Arguments {
    /// Show the way into Studio instead: a sign-in through an identity provider on this machine
    #[arg(long)]
    access: bool,
    /// Leave the local cloud running at the end; with --access, the identity provider too, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// The port of everything but SageMaker and Scheduler, on 127.0.0.1
    #[arg(long, default_value_t = MINISTACK_PORT)]
    port: u16,
    /// The port of SageMaker, Scheduler and the inbox, on 127.0.0.1
    #[arg(long, default_value_t = ENGINE_PORT)]
    engine_port: u16,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let began = Instant::now();
    let root = project_root(&current_folder()?)?;
    let home = context.existing_home()?.unwrap_or_else(|| root.join(".tidegate"));
    let ran_before = target::running(&home).await.is_ok();
    if !ran_before {
        start(&home, arguments).await?;
    }
    let shown = interrupt::guard(async {
        let info = target::running(&home).await?;
        let folder = home.join("demo");
        std::fs::create_dir_all(&folder)?;
        let session = Session::local(&info, &context.globals.table);
        let demo =
            Demo { context, session: &session, environment: info.env(), root: &root, home: &home, folder: &folder };
        if arguments.access { demo.play_access(&info.ministack_url, arguments.keep).await } else { demo.play().await }
    })
    .await;
    if !ran_before && (!arguments.keep || shown.is_err()) {
        // At the end, at a failure and at Ctrl-C alike: nothing is left behind.
        Cloud::down(&home, false).await?;
    }
    shown.map_err(|error| match error.lines.is_empty() {
        true => error,
        false => error.hint(format!("logs and state are kept in {}", home.display())),
    })?;
    let kept = if ran_before || arguments.keep { "the local cloud runs on" } else { "the local cloud is stopped" };
    context.terminal.print(&format!("\nshown in {} s; {kept}", began.elapsed().as_secs()))
}

/// In this process, since `local up` cleans up after itself when a signal comes.
async fn start(home: &Path, arguments: &Arguments) -> Result<(), Error> {
    let (port, engine_port) = (arguments.port.to_string(), arguments.engine_port.to_string());
    let words = ["tidegate", "local", "up", "--port", &port, "--engine-port", &engine_port, "--home"];
    let cli = Cli::try_parse_from(words.iter().map(std::ffi::OsString::from).chain([home.into()]))
        .map_err(|error| Error::failed(error.to_string()))?;
    Box::pin(crate::run(&Context::new(&cli.globals), &cli.command)).await
}

struct Demo<'a> {
    context: &'a Context,
    session: &'a Session,
    environment: Vec<(String, String)>,
    root: &'a Path,
    home: &'a Path,
    folder: &'a Path,
}

impl Demo<'_> {
    async fn play(&self) -> Result<(), Error> {
        self.title("0. The pipeline, from one file")?;
        self.tidegate(&["apply", EXAMPLE]).await?;

        self.title("1. A file dropped into raw/ becomes a model that answers")?;
        let good = self.data("good.csv", &[]).await?;
        let first = self.drop(&good).await?;
        self.expect(&first, Phase::Live)?;
        self.invoke(&good).await?;

        self.title("2. An execution started by the AWS CLI is adopted")?;
        let second = self.start_by_hand().await?;
        self.expect(&second, Phase::Live)?;

        self.title("3. Shuffled labels: the gate refuses, the old model answers")?;
        let shuffled = self.data("shuffled.csv", &["--shuffle-labels"]).await?;
        let third = self.drop(&shuffled).await?;
        self.expect(&third, Phase::Rejected)?;
        self.serves(&second).await?;
        self.invoke(&good).await?;

        self.title("4. A broken file: one alert")?;
        let broken = self.data("broken.csv", &["--malformed"]).await?;
        let fourth = self.drop(&broken).await?;
        self.expect(&fourth, Phase::Failed)?;
        self.one_alert(&fourth).await?;

        self.title("5. A schedule fires")?;
        let fifth = self.fire_schedule().await?;
        self.expect(&fifth, Phase::Live)?;

        self.title("6. What answers now, and what it was made of")?;
        self.serves(&fifth).await?;
        self.tidegate(&["lineage", "endpoint:breast-cancer"]).await?;
        self.tidegate(&["runs", "--pipeline", PIPELINE]).await
    }

    fn title(&self, text: &str) -> Result<(), Error> {
        self.context.terminal.print(&format!("\n{}", self.context.terminal.style().bold(text)))
    }

    /// Shows a command as a person would type it.
    fn typed(&self, program: &str, words: &[&str]) -> Result<(), Error> {
        let line: Vec<&str> = [program].into_iter().chain(words.iter().copied()).collect();
        self.context.terminal.print(&self.context.terminal.style().dim(&format!("$ {}", line.join(" "))))
    }

    /// This very program, its output on the screen; it must succeed.
    async fn tidegate(&self, words: &[&str]) -> Result<(), Error> {
        self.typed("tidegate", words)?;
        let program = std::env::current_exe()?;
        let mut command = Command::new(program);
        command.args(words).env("TIDEGATE_HOME", self.home).env("TIDEGATE_TARGET", "local").current_dir(self.root);
        let status = command.stdin(Stdio::null()).kill_on_drop(true).status().await?;
        if status.success() {
            return Ok(());
        }
        Err(Error::failed(format!("`tidegate {}` did not do what the demo shows", words.join(" "))))
    }

    /// The AWS CLI, by nothing but the variables of `tidegate local env`.
    async fn aws(&self, words: &[&str]) -> Result<String, Error> {
        self.typed("aws", words)?;
        let program = self.root.join(".venv/cloud/bin/aws");
        let mut command = Command::new(&program);
        command.args(words).envs(self.environment.iter().cloned()).env("AWS_PAGER", "");
        let output = self.output("aws", command).await?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn output(&self, name: &str, mut command: Command) -> Result<Output, Error> {
        let output =
            command.stdin(Stdio::null()).kill_on_drop(true).output().await.map_err(|error| {
                Error::failed(format!("{name} cannot be started: {error}")).hint("run `make setup`")
            })?;
        if output.status.success() {
            return Ok(output);
        }
        let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::failed(format!("{name} ended with {}: {told}", output.status)))
    }

    /// Writes the data set that scikit-learn ships, or a spoilt form of it.
    async fn data(&self, name: &str, options: &[&str]) -> Result<PathBuf, Error> {
        let file = self.folder.join(name);
        self.typed("python", &[&[&format!("{EXAMPLE}/data.py"), "--output", name], options].concat())?;
        let mut command = Command::new(self.root.join(".venv/ml/bin/python"));
        command.arg(self.root.join(EXAMPLE).join("data.py")).arg("--output").arg(&file).args(options);
        self.output("python", command).await?;
        Ok(file)
    }

    /// Drops a file and follows its run to the end, which need not be a good one.
    async fn drop(&self, file: &Path) -> Result<Run, Error> {
        let before = self.newest("arrival").await?.map(|run| run.id);
        self.tidegate(&["drop", &file.to_string_lossy()]).await?;
        let run = self
            .eventually("a run for the file", async || {
                Ok(self.newest("arrival").await?.filter(|run| Some(&run.id) != before.as_ref()))
            })
            .await?;
        self.follow(&run.id).await
    }

    async fn start_by_hand(&self) -> Result<Run, Error> {
        let bucket = handlers::apply::Deployment::load(&self.session.ledger()).await?.bucket;
        let parameter = format!("Name=InputDataUri,Value=s3://{bucket}/raw/breast-cancer/good.csv");
        let words = ["sagemaker", "start-pipeline-execution", "--pipeline-name", PIPELINE, "--pipeline-parameters"];
        let query = ["--query", "PipelineExecutionArn", "--output", "text"];
        let answer = self.aws(&[&words[..], &[parameter.as_str()], &query].concat()).await?;
        let arn = answer.trim().to_owned();
        self.context.terminal.print(&arn)?;
        self.follow(&RunId::manual(&arn)).await
    }

    /// Applies the example with a schedule that is due in a few seconds; afterwards as it was.
    async fn fire_schedule(&self) -> Result<Run, Error> {
        let due = Timestamp::now().round(jiff::Unit::Second).unwrap_or_else(|_| Timestamp::now());
        let due = due.checked_add(5.seconds()).unwrap_or(due);
        let at = due.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let copy = self.folder.join("scheduled");
        copy_example(&self.root.join(EXAMPLE), &copy, &at)?;
        self.context.terminal.print(&format!("schedules:\n  demo: {{at: {at}, timezone: UTC}}"))?;
        self.tidegate(&["apply", &copy.to_string_lossy()]).await?;
        let id = RunId::schedule(PIPELINE, "demo", &due.to_string());
        let run = self.follow(&id).await;
        self.tidegate(&["apply", EXAMPLE]).await?;
        run
    }

    async fn follow(&self, id: &RunId) -> Result<Run, Error> {
        let run = follow::until_the_end(self.context, self.session, id, &[]).await?;
        follow::show(self.context, self.session, &run).await?;
        Ok(run)
    }

    /// The newest run of a kind of trigger. The index lags behind by moments.
    async fn newest(&self, kind: &str) -> Result<Option<Run>, Error> {
        let letter = kind.chars().next().unwrap_or_default();
        let page = self.session.ledger().runs(PIPELINE, 50).await?;
        Ok(page.runs.into_iter().find(|run| run.id.as_str().starts_with(letter)))
    }

    fn expect(&self, run: &Run, phase: Phase) -> Result<(), Error> {
        if run.phase == phase {
            return Ok(());
        }
        Err(Error::failed(format!("run {} is {}, and the demo shows one that is {phase}", run.id, run.phase)))
    }

    /// The endpoint answers with this run's model.
    async fn serves(&self, run: &Run) -> Result<(), Error> {
        let words = ["sagemaker", "describe-endpoint", "--endpoint-name", PIPELINE, "--query"];
        let query = ["[EndpointStatus,EndpointConfigName]", "--output", "text"];
        let answer = self.aws(&[&words[..], &query].concat()).await?;
        self.context.terminal.print(answer.trim())?;
        if answer.contains("InService") && answer.contains(run.id.as_str()) {
            return Ok(());
        }
        Err(Error::failed(format!("the endpoint does not serve the model of run {}", run.id)))
    }

    /// Asks the endpoint about the first row of the data.
    async fn invoke(&self, data: &Path) -> Result<(), Error> {
        let text = std::fs::read_to_string(data)?;
        let row = text.lines().nth(1).and_then(|line| line.split_once(','));
        let Some((label, row)) = row else { return Err(Error::failed("the data has no row")) };
        let (body, answer) = (self.folder.join("row.csv"), self.folder.join("answer.csv"));
        std::fs::write(&body, format!("{row}\n"))?;
        let body = format!("fileb://{}", body.display());
        let out = answer.display().to_string();
        let words = ["sagemaker-runtime", "invoke-endpoint", "--endpoint-name", PIPELINE, "--body", &body];
        self.aws(&[&words[..], &["--content-type", "text/csv", "--accept", "text/csv", &out]].concat()).await?;
        let answer = std::fs::read_to_string(&answer)?;
        let answer = answer.trim();
        self.context.terminal.print(&format!("prediction: {answer}   (in the data: {label})"))?;
        match answer.starts_with(['B', 'M']) {
            true => Ok(()),
            false => Err(Error::failed(format!("the endpoint answered `{answer}`"))),
        }
    }

    async fn one_alert(&self, run: &Run) -> Result<(), Error> {
        let alerts = async || {
            let messages = local::inbox::read(self.home)?;
            Ok(messages.into_iter().filter(|message| message.message.contains(run.id.as_str())).collect::<Vec<_>>())
        };
        let some = async || alerts().await.map(|found: Vec<_>| (!found.is_empty()).then_some(()));
        self.eventually("an alert", some).await?;
        // A second one would be here by now.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let found = alerts().await?;
        for alert in &found {
            let subject = alert.subject.as_deref().unwrap_or_default();
            self.context.terminal.print(&format!("Subject:    {subject}\n{}", alert.message))?;
        }
        match found.len() {
            1 => Ok(()),
            number => Err(Error::failed(format!("{number} alerts came, and the demo shows one"))),
        }
    }

    async fn eventually<T>(&self, what: &str, ask: impl AsyncFn() -> Result<Option<T>, Error>) -> Result<T, Error> {
        let began = Instant::now();
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            if began.elapsed() > PATIENCE {
                return Err(Error::failed(format!("{what} did not come within {} s", PATIENCE.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Copies `pipeline.yaml` and its scripts, with one more schedule.
fn copy_example(from: &Path, to: &Path, at: &str) -> Result<(), Error> {
    let scripts = to.join("src");
    std::fs::create_dir_all(&scripts)?;
    for entry in std::fs::read_dir(from.join("src"))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), scripts.join(entry.file_name()))?;
        }
    }
    let yaml = std::fs::read_to_string(from.join("pipeline.yaml"))?;
    let more = format!(
        "schedules:\n  demo:\n    at: {at}\n    timezone: UTC\n    parameters:\n      \
         InputDataUri: s3://{{{{bucket}}}}/raw/breast-cancer/good.csv\n"
    );
    let with = yaml.replacen("schedules:\n", &more, 1);
    std::fs::write(to.join("pipeline.yaml"), with)?;
    Ok(())
}

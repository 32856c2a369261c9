//! A local cloud for a test: started on free ports with a home of its own, stopped when it goes out of scope.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The root of the project.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The folder of the built programs: that of this test.
///
/// # Errors
/// The test is not where Cargo builds tests.
pub fn programs() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let debug = this.parent().and_then(Path::parent).context("a test lies in target/debug/deps")?;
    Ok(debug.to_path_buf())
}

/// A running local cloud.
#[derive(Debug)]
pub struct Cloud {
    home: tempfile::TempDir,
    port: u16,
    engine_port: u16,
    /// What `local up` is given beside the ports.
    arguments: Vec<String>,
    env: Vec<(String, String)>,
}

impl Cloud {
    /// Starts one, with the orchestrator deployed into it.
    ///
    /// # Errors
    /// With what the program said.
    pub fn up() -> Result<Self> {
        let cloud = Self::new()?;
        cloud.start()?;
        Ok(cloud)
    }

    /// Starts one, with the orchestrator deployed into it, on a bad day: this share of the functions' requests goes
    /// wrong, and this share of SageMaker's events never comes. `env` is set for its servers.
    ///
    /// # Errors
    /// With what the program said.
    pub fn up_with_faults(rate: &str, lost: &str, seed: u64, env: &[(&str, &str)]) -> Result<Self> {
        let mut cloud = Self::new()?;
        cloud.arguments =
            ["--faults", rate, "--faults-lost", lost, "--faults-seed", &seed.to_string()].map(str::to_owned).to_vec();
        cloud.env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        cloud.start()?;
        Ok(cloud)
    }

    /// Starts one with nothing in it.
    ///
    /// # Errors
    /// With what the program said.
    pub fn up_empty() -> Result<Self> {
        let cloud = Self::new()?;
        let (port, engine_port) = (cloud.port.to_string(), cloud.engine_port.to_string());
        cloud.tidegate(&["local", "up", "--no-deploy", "--port", &port, "--engine-port", &engine_port])?;
        Ok(cloud)
    }

    fn new() -> Result<Self> {
        let home = tempfile::Builder::new().prefix("tidegate-test-").tempdir()?;
        Ok(Self { home, port: free_port()?, engine_port: free_port()?, arguments: Vec::new(), env: Vec::new() })
    }

    /// Starts it again after [`Cloud::down`], in the same home.
    ///
    /// # Errors
    /// With what the program said.
    pub fn start(&self) -> Result<()> {
        let (port, engine_port) = (self.port.to_string(), self.engine_port.to_string());
        let mut arguments = vec!["local", "up", "--port", &port, "--engine-port", &engine_port];
        arguments.extend(self.arguments.iter().map(String::as_str));
        self.tidegate(&arguments).map(drop)
    }

    /// Stops it and keeps its state.
    ///
    /// # Errors
    /// With what the program said.
    pub fn down(&self) -> Result<()> {
        self.tidegate(&["local", "down"]).map(drop)
    }

    /// The home folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// MiniStack's address.
    #[must_use]
    pub fn aws_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The engine's address.
    #[must_use]
    pub fn engine_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.engine_port)
    }

    /// The ports it listens on.
    #[must_use]
    pub fn ports(&self) -> [u16; 2] {
        [self.port, self.engine_port]
    }

    /// Runs `tidegate` and returns its standard output; anything but exit code 0 is an error.
    ///
    /// # Errors
    /// With both streams.
    pub fn tidegate(&self, arguments: &[&str]) -> Result<String> {
        successful("tidegate", arguments, self.tidegate_output(arguments)?)
    }

    /// Runs `tidegate --output json` and reads what it prints.
    ///
    /// # Errors
    /// It failed, or printed no JSON.
    pub fn tidegate_json(&self, arguments: &[&str]) -> Result<Value> {
        let all: Vec<&str> = arguments.iter().copied().chain(["--output", "json"]).collect();
        let text = self.tidegate(&all)?;
        serde_json::from_str(&text).with_context(|| format!("`tidegate {}` printed: {text}", all.join(" ")))
    }

    /// Runs `tidegate`, whatever comes of it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn tidegate_output(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(programs()?.join("tidegate"));
        command.args(arguments).env("TIDEGATE_HOME", self.home()).current_dir(root());
        // Sooner than AWS's 60 and 120, and later than the end of a claim.
        command.env("TIDEGATE_ASYNC_RETRY_SECONDS", "45,5");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        for name in ["AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"] {
            command.env_remove(name);
        }
        command.output().context("tidegate cannot be started: run `make build`")
    }

    /// A command that talks to this cloud by nothing but endpoint variables and credentials.
    #[must_use]
    pub fn public_door(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(root())
            .env("AWS_ENDPOINT_URL", self.aws_url())
            .env("AWS_ENDPOINT_URL_SAGEMAKER", self.engine_url())
            .env("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", self.engine_url())
            .env("AWS_ENDPOINT_URL_SCHEDULER", self.engine_url())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_PAGER", "")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("TIDEGATE_HOME", self.home());
        command
    }

    /// The AWS CLI; its JSON, or null where it prints nothing.
    ///
    /// # Errors
    /// It failed, or printed no JSON.
    pub fn aws(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = self.public_door(&root().join(".venv/cloud/bin/aws"));
        let output = command.args(arguments).args(["--output", "json"]).output()?;
        let text = successful("aws", arguments, output)?;
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("`aws {}` printed: {text}", arguments.join(" ")))
    }

    /// The CDK's command line in `infra`; the example pipeline is part of the stack.
    ///
    /// # Errors
    /// It failed; with what it printed.
    pub fn cdk(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.public_door(&root().join("infra/node_modules/.bin/cdk"));
        command.current_dir(root().join("infra")).args(arguments).arg("--output").arg(self.home().join("cdk.out"));
        let output = command.args(["-c", "pipelines=pipelines/breast-cancer"]).output()?;
        successful("cdk", arguments, output)
    }

    /// A Python program of `tests/python`, with boto3; the test passes when the program does.
    ///
    /// # Errors
    /// It failed; with what it printed.
    pub fn python(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = self.public_door(&root().join(".venv/cloud/bin/python"));
        command.arg(root().join("tests/python").join(program)).args(arguments);
        let output = command.env("TIDEGATE", programs()?.join("tidegate")).output()?;
        successful("python", &[program], output)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // A test that failed must not leave servers behind; there is nobody to tell if this fails too.
        let _ = self.tidegate_output(&["local", "down"]);
    }
}

/// Asks again and again until there is an answer.
///
/// # Errors
/// There was none in time.
pub fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if start.elapsed() > limit {
            bail!("{what}: not within {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// A port that was free a moment ago.
///
/// # Errors
/// The machine has none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn successful(program: &str, arguments: &[&str], output: Output) -> Result<String> {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let line = arguments.join(" ");
    ensure!(output.status.success(), "`{program} {line}` ended with {}:\n{out}\n{err}", output.status);
    Ok(out.into_owned())
}

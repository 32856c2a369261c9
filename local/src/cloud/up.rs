use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::process::Child;

use super::env::{env, url};
use super::record::{self, Record, Server};
use super::{CloudInfo, Error, Options, check, down, logs, process, status};

pub(super) const MINISTACK: &str = "MiniStack";
pub(super) const ENGINE: &str = "the engine";

/// A log above this is put aside at the next start, MiniStack's being the chatty one.
const LARGEST_LOG: u64 = 16 * 1024 * 1024;
const TAIL_LINES: usize = 20;
const STEP: Duration = Duration::from_millis(100);
/// Drop cannot wait long, and MiniStack saves nothing that matters when it never came up.
const GRACE: Duration = Duration::from_secs(3);

pub(super) async fn up(options: &Options) -> Result<CloudInfo, Error> {
    check::prerequisites(options)?;
    let made = |path: &Path| Error::io(format!("make the folder `{}`", path.display()));
    std::fs::create_dir_all(&options.home).map_err(made(&options.home))?;
    let home = options.home.canonicalize().map_err(made(&options.home))?;
    let _lock = record::lock(&home)?;
    if let Some(found) = record::read(&home)? {
        let both = process::runs(found.ministack.pid, &found.ministack.started)
            && process::runs(found.engine.pid, &found.engine.started);
        if both {
            if (found.ministack.port, found.engine.port) != (options.ministack_port, options.engine_port) {
                return Err(Error::OtherPorts { home, ministack: found.ministack.port, engine: found.engine.port });
            }
            if status::answers(&found.ministack).await && status::answers(&found.engine).await {
                return Ok(CloudInfo::of(&found, home, false));
            }
        }
        // Half of it is down, or does not answer: begin anew.
        down::stop(&home, &found).await?;
    }
    check::disk(&home)?;
    check::port(options.ministack_port, MINISTACK)?;
    check::port(options.engine_port, ENGINE)?;
    let mut starting = Starting::new(&home)?;
    let result = starting.start(options).await;
    match result {
        Ok(record) => {
            starting.keep = true;
            Ok(CloudInfo::of(&record, home, true))
        }
        Err(error) => Err(error),
    }
}

/// What has been started and is stopped again when this is dropped, unless `keep`.
struct Starting {
    home: PathBuf,
    logs: PathBuf,
    run: String,
    servers: Vec<Server>,
    keep: bool,
}

impl Starting {
    fn new(home: &Path) -> Result<Self, Error> {
        let logs = home.join("logs");
        std::fs::create_dir_all(&logs).map_err(Error::io(format!("make the folder `{}`", logs.display())))?;
        let run = uuid::Uuid::new_v4().to_string();
        Ok(Self { home: home.to_owned(), logs, run, servers: Vec::new(), keep: false })
    }

    async fn start(&mut self, options: &Options) -> Result<Record, Error> {
        let (ministack_url, engine_url) = (url(options.ministack_port), url(options.engine_port));
        let mut env = env(&options.region, &ministack_url, &engine_url);
        env.push((process::RUN.into(), self.run.clone()));
        // A proxy in the user's environment must not stand between the parts.
        env.push(("NO_PROXY".into(), "127.0.0.1,localhost".into()));
        env.push(("no_proxy".into(), "127.0.0.1,localhost".into()));
        env.push(("PYTHONDONTWRITEBYTECODE".into(), "1".into()));
        env.extend(options.env.iter().cloned());

        let faults = match options.faults {
            Some(faults) => Some((faults, [check::free_port()?, check::free_port()?])),
            None => None,
        };
        if let Some((faults, [to_ministack, to_engine])) = faults {
            env.extend(faults.env(&url(to_ministack), &url(to_engine)));
        }

        let mut ministack: Vec<OsString> = vec![options.python().into(), options.wrapper().into()];
        ministack.extend(["--port".into(), options.ministack_port.to_string().into()]);
        ministack.extend(["--home".into(), self.home.clone().into(), "--region".into(), options.region.clone().into()]);
        let mut engine = options.engine.clone();
        engine.extend(["--home".into(), self.home.clone().into(), "--port".into()]);
        engine.extend([options.engine_port.to_string().into(), "--ministack".into(), ministack_url.into()]);
        if let Some((faults, [to_ministack, to_engine])) = faults {
            engine.extend(["--faults-ports".into(), to_ministack.to_string().into(), to_engine.to_string().into()]);
            engine.extend(["--faults-seed".into(), faults.seed.to_string().into()]);
        }

        let ministack_log = self.logs.join(logs::MINISTACK);
        let engine_log = self.logs.join(logs::ENGINE);
        let mut children = [
            (MINISTACK, self.spawn(&ministack, options.ministack_port, options, &env, &ministack_log)?, ministack_log),
            (ENGINE, self.spawn(&engine, options.engine_port, options, &env, &engine_log)?, engine_log),
        ];
        let [ministack, engine] = self.servers.as_slice() else {
            return Err(Error::io("start the servers")(std::io::Error::other("not both were recorded")));
        };
        let (run, region) = (self.run.clone(), options.region.clone());
        let record = Record { run, region, ministack: ministack.clone(), engine: engine.clone() };
        record::write(&self.home, &record)?;
        let servers = [&record.ministack, &record.engine];
        wait(&mut children, servers, options.within).await?;
        Ok(record)
    }

    fn spawn(
        &mut self,
        command: &[OsString],
        port: u16,
        options: &Options,
        env: &[(String, String)],
        log: &Path,
    ) -> Result<Child, Error> {
        if std::fs::metadata(log).is_ok_and(|found| found.len() > LARGEST_LOG) {
            let aside = log.with_extension("log.1");
            std::fs::rename(log, &aside).map_err(Error::io(format!("put `{}` aside", log.display())))?;
        }
        let program = command.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default();
        let child =
            process::spawn(command, &options.root, env, log).map_err(Error::io(format!("start `{program}`")))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
        // None when it has ended already, which the wait reports.
        let started = process::started(pid).unwrap_or_default();
        self.servers.push(Server { port, pid, started });
        Ok(child)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        for server in &self.servers {
            process::signal(server.pid, &server.started, Signal::SIGTERM);
        }
        for server in &self.servers {
            if !process::gone_blocking(server.pid, &server.started, GRACE) {
                process::signal(server.pid, &server.started, Signal::SIGKILL);
                process::gone_blocking(server.pid, &server.started, GRACE);
            }
        }
        process::sweep(&self.run);
        if let Err(error) = record::remove(&self.home) {
            tracing::warn!(%error, "the record of a failed start stays");
        }
    }
}

/// Until both answer. Their exit ends the wait at once.
async fn wait(
    children: &mut [(&'static str, Child, PathBuf); 2],
    servers: [&Server; 2],
    within: Duration,
) -> Result<(), Error> {
    let end = Instant::now() + within;
    loop {
        let mut late = None;
        for ((part, child, log), server) in children.iter_mut().zip(servers) {
            if let Some(status) = child.try_wait().map_err(Error::io(format!("wait for {part}")))? {
                let tail = logs::end(log, TAIL_LINES);
                return Err(Error::Ended { part, status: status.to_string(), log: log.clone(), tail });
            }
            if !status::answers(server).await {
                late = Some((*part, log.clone()));
            }
        }
        let Some((part, log)) = late else { return Ok(()) };
        if Instant::now() >= end {
            let tail = logs::end(&log, TAIL_LINES);
            return Err(Error::NotUp { part, seconds: within.as_secs(), log, tail });
        }
        tokio::time::sleep(STEP).await;
    }
}

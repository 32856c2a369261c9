//! `tidegate why`

mod find;

use std::collections::BTreeMap;

use handlers::apply::Deployment;
use handlers::ledger::{ObjectOutcome, PipelineRecord};
use handlers::settings::SILENCE;
use jiff::Timestamp;
use statemachine::RunId;
use statemachine::config::{Pipeline, ScheduleExpression, TimeZone};
use statemachine::run::{ObjectVersion, Run, Trigger};

use crate::context::Context;
use crate::error::Error;
use crate::target::Session;
use crate::why::{self, Around, Due, Fate, Fired, Found, There, Why, object, schedule};
use crate::{follow, render};
use find::Subject;

/// How many due times of a schedule are told.
const DUES: usize = 5;

/// How many runs are looked through for those of a schedule.
const SEARCHED: usize = 500;

/// What to explain.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate why a-0123456789abcdef\n  \
                        tidegate why s3://bucket/raw/breast-cancer/cells.csv\n  \
                        tidegate why raw/breast-cancer/cells.csv\n  tidegate why breast-cancer.nightly")]
pub(crate) struct Arguments {
    /// A run's id or its beginning; an object: s3://bucket/key, a key, either with ?versionId=; a schedule:
    /// pipeline.schedule
    #[arg(value_name = "RUN|OBJECT|SCHEDULE")]
    subject: String,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let session = context.session().await?;
    let why = explain(&session, &arguments.subject).await?;
    let terminal = &context.terminal;
    terminal.show(&why, || render::why::text(&why, terminal.style(), Timestamp::now()))
}

async fn explain(session: &Session, text: &str) -> Result<Why, Error> {
    let pipelines = session.ledger().pipelines().await?;
    match find::subject(&pipelines, text) {
        Subject::Run => of_run(session, text).await,
        Subject::Schedule { pipeline, name } => of_schedule(session, pipeline, name).await,
        Subject::Object { bucket, key, version } => {
            let bucket = match bucket {
                Some(bucket) => bucket.to_owned(),
                None => Deployment::load(&session.ledger()).await?.bucket,
            };
            of_object(session, &pipelines, &bucket, key, version).await
        }
        Subject::File => of_file(session, &pipelines, text).await,
    }
}

async fn of_run(session: &Session, text: &str) -> Result<Why, Error> {
    let ledger = session.ledger();
    let found = follow::find(session, text).await?;
    let endpoint = match &found.spec.deployment {
        Some(deployment) => ledger.endpoint(&deployment.endpoint).await?.map(|endpoint| endpoint.value),
        None => None,
    };
    let queue = match found.spec.has_queue() {
        true => ledger.queue(&found.spec.pipeline).await?.map(|queue| queue.value),
        false => None,
    };
    let replay = ledger.run(&RunId::replay(&found.id, 1)).await?.map(|run| run.value);
    let around =
        Around { endpoint: endpoint.as_ref(), queue: queue.as_ref(), replay: replay.as_ref(), silence: SILENCE };
    Ok(why::run(&found, &around, Timestamp::now()))
}

/// A word without a slash: a file's name under some pipeline's prefix, or nothing.
async fn of_file(session: &Session, pipelines: &[PipelineRecord], text: &str) -> Result<Why, Error> {
    let bucket = Deployment::load(&session.ledger()).await?.bucket;
    for prefix in pipelines.iter().filter_map(|pipeline| pipeline.arrival_prefix.as_deref()) {
        let key = format!("{prefix}{text}");
        if !session.ledger().objects(&bucket, &key).await?.is_empty() {
            return of_object(session, pipelines, &bucket, &key, None).await;
        }
    }
    if follow::may_be_a_run(text) {
        return of_run(session, text).await;
    }
    Err(find::unknown(pipelines, text))
}

async fn of_object(
    session: &Session,
    pipelines: &[PipelineRecord],
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Why, Error> {
    let ledger = session.ledger();
    let mut fates = Vec::new();
    for record in ledger.objects(bucket, key).await? {
        if version.is_some_and(|wanted| record.object.version() != wanted) {
            continue;
        }
        let mut runs = BTreeMap::new();
        for outcome in record.outcome.values() {
            let ObjectOutcome::Taken { run } = outcome else { continue };
            if let Some(found) = ledger.run(run).await? {
                runs.insert(run.clone(), found.value);
            }
        }
        fates.push(Fate { record, runs });
    }
    let there = look(session, bucket, key, version).await?;
    Ok(object(&Found { bucket, key, version, fates, there, pipelines }, Timestamp::now()))
}

async fn look(session: &Session, bucket: &str, key: &str, version: Option<&str>) -> Result<There, Error> {
    let request = session.aws.s3().head_object().bucket(bucket).key(key);
    let answer = match request.set_version_id(version.map(str::to_owned)).send().await {
        Ok(answer) => answer,
        // Without the permission to list, S3 says 403 of what is not there.
        Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 404) => return Ok(There::No),
        Err(error) => return Ok(There::Unknown(Error::aws("HeadObject", error).lines.join("; "))),
    };
    let size = answer.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
    let modified = answer.last_modified.and_then(|at| Timestamp::from_second(at.secs()).ok());
    let newest = ObjectVersion {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        version_id: answer.version_id.filter(|version| version != "null"),
        etag: answer.e_tag.map(|etag| etag.trim_matches('"').to_owned()),
        size,
        sequencer: None,
    };
    let taken = session.ledger().takers(&newest).await?;
    Ok(There::Yes { size, modified, taken })
}

async fn of_schedule(session: &Session, pipeline: &PipelineRecord, name: &str) -> Result<Why, Error> {
    let now = Timestamp::now();
    let config = config_of(pipeline)?;
    let ledger = session.ledger();
    let found = config.schedules().iter().find(|(own, _)| own.as_str() == name).map(|(_, schedule)| schedule);
    let expected = config.arrival().and_then(|arrival| arrival.expected.as_ref());
    let (expression, zone, expects) = match (found, expected) {
        (Some(schedule), _) => (schedule.expression.clone(), &schedule.time_zone, false),
        (None, Some(expected)) => (ScheduleExpression::Cron(expected.cron().clone()), expected.time_zone(), true),
        (None, None) => return Err(find::unknown(std::slice::from_ref(pipeline), name)),
    };
    let rhythm = match expects {
        true => format!("data is expected at {expression} ({zone})"),
        false => format!("{expression} ({zone})"),
    };
    let mut dues = due_times(&expression, zone, now).into_iter().map(|at| Due { at, run: None }).collect::<Vec<_>>();
    if dues.is_empty() && !expects {
        // Only EventBridge Scheduler knows when a rate began: its runs tell.
        let page = ledger.runs(&pipeline.name, SEARCHED).await?;
        dues.extend(page.runs.iter().filter_map(|run| fired(run, name)).take(DUES));
    }
    for due in dues.iter_mut().filter(|due| due.run.is_none()) {
        let id = match expects {
            true => RunId::expected(&pipeline.name, &due.at.to_string()),
            false => RunId::schedule(&pipeline.name, name, &due.at.to_string()),
        };
        let run = ledger.run(&id).await?.map(|run| run.value);
        due.run = run.map(|run| Fired { id: run.id, phase: run.phase, created: run.created });
    }
    let next = next_due(&expression, zone, now, dues.first().map(|due| due.at));
    Ok(schedule(pipeline, name, &rhythm, &dues, next, expects))
}

fn fired(run: &Run, name: &str) -> Option<Due> {
    match &run.trigger {
        Trigger::Schedule { name: own, scheduled_time } if own == name => {
            let run = Fired { id: run.id.clone(), phase: run.phase, created: run.created };
            Some(Due { at: *scheduled_time, run: Some(run) })
        }
        _ => None,
    }
}

/// The last times at which it was due, the newest first, as far as they can be told.
fn due_times(expression: &ScheduleExpression, zone: &TimeZone, now: Timestamp) -> Vec<Timestamp> {
    match expression {
        ScheduleExpression::At(at) => {
            let due = at.to_zoned(zone.rules()).ok().map(|zoned| zoned.timestamp());
            due.filter(|due| *due <= now).into_iter().collect()
        }
        _ => {
            let earlier = |before: &Timestamp| expression.previous_due(zone, *before);
            std::iter::successors(expression.previous_due(zone, now), earlier).take(DUES).collect()
        }
    }
}

fn next_due(
    expression: &ScheduleExpression,
    zone: &TimeZone,
    now: Timestamp,
    last: Option<Timestamp>,
) -> Option<Timestamp> {
    match expression {
        ScheduleExpression::Cron(cron) => cron.next_after(&zone.rules(), now),
        ScheduleExpression::At(at) => at.to_zoned(zone.rules()).ok().map(|at| at.timestamp()).filter(|at| *at > now),
        ScheduleExpression::Rate(rate) => {
            let every = i64::try_from(rate.seconds()).ok().filter(|every| *every > 0)?;
            let since = now.duration_since(last?).as_secs().max(0);
            let next = last?.as_second().checked_add(every.checked_mul(since / every + 1)?)?;
            Timestamp::from_second(next).ok()
        }
    }
}

fn config_of(pipeline: &PipelineRecord) -> Result<Pipeline, Error> {
    Pipeline::from_json(&pipeline.config).map_err(|_| {
        let error =
            format!("pipeline `{}` was applied by another version, and its schedules cannot be read", pipeline.name);
        Error::failed(error).hint("apply it again: `tidegate apply DIR`")
    })
}

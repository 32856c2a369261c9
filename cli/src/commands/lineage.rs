//! `tidegate lineage`

use std::collections::BTreeSet;

use handlers::ledger::{Direction, Ledger, Neighbour, NodeView};
use jiff::Timestamp;
use statemachine::lineage::{NodeId, NodeKind};

use crate::context::Context;
use crate::error::Error;
use crate::follow;
use crate::render;
use crate::render::lineage::{Cut, Tie, Tree};
use crate::target::Session;

/// The most nodes of one tree; each is one query.
const LARGEST: usize = 400;

/// From where, which way.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tidegate lineage endpoint:breast-cancer\n  \
                        tidegate lineage endpoint:breast-cancer --at 2026-11-21T08:00:00Z\n  \
                        tidegate lineage s3://bucket/raw/breast-cancer/cells.csv --forward")]
pub(crate) struct Arguments {
    /// endpoint:NAME, a run's id, an S3 address, an ARN, or any node that a lineage shows
    node: String,
    /// What came of it
    #[arg(long, conflicts_with = "back")]
    forward: bool,
    /// What it was made of; the default wherever there is anything
    #[arg(long)]
    back: bool,
    /// What an endpoint served at this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// How many steps at most
    #[arg(long, value_name = "N", default_value = "12")]
    depth: usize,
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "give a time like 2026-11-21T08:00:00Z".to_owned())
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let session = context.session().await?;
    let (id, view) = find(&session, &arguments.node).await?;
    let is_endpoint = id.as_str().starts_with("endpoint:");
    if arguments.at.is_some() && (!is_endpoint || arguments.forward) {
        return Err(Error::usage("--at is for an endpoint, backwards: it tells what was served at that time"));
    }
    let direction = match () {
        () if arguments.forward => Direction::Forward,
        () if arguments.back || !view.causes.is_empty() => Direction::Back,
        () => Direction::Forward,
    };
    let mut walk = Walk { ledger: session.ledger(), direction, depth: arguments.depth, seen: BTreeSet::new() };
    let at = arguments.at.unwrap_or_else(Timestamp::now);
    let tree = walk.tree(id, Some(view), None, 0, at).await?;
    if let (Some(at), true) = (arguments.at, tree.related.is_empty()) {
        return Err(Error::failed(format!("`{}` served nothing yet at {at}", tree.id)));
    }
    context.terminal.show(&tree, || render::lineage::text(&tree, direction, context.terminal.style()))
}

/// The node that a person means.
async fn find(session: &Session, text: &str) -> Result<(NodeId, NodeView), Error> {
    let ledger = session.ledger();
    let mut candidates = vec![NodeId::named(text)];
    if let Some(object) = newest_version(session, text).await {
        candidates.push(object);
    }
    candidates.push(NodeId::named(format!("run:{text}")));
    candidates.push(NodeId::endpoint(text));
    for id in candidates {
        let view = ledger.node(&id).await?;
        if view.node.is_some() || !view.causes.is_empty() || !view.effects.is_empty() {
            return Ok((id, view));
        }
    }
    // The beginning of a run's id.
    let short = text.strip_prefix("run:").unwrap_or(text);
    if follow::may_be_a_run(short)
        && let Ok(run) = follow::find(session, short).await
    {
        let id = NodeId::run(&run.id);
        let view = ledger.node(&id).await?;
        return Ok((id, view));
    }
    let error = Error::failed(format!("nothing is known of `{text}`"));
    let Some(_) = text.strip_prefix("endpoint:") else {
        return Err(error.hint("give endpoint:NAME, a run's id, an S3 address with ?versionId=, or an ARN"));
    };
    let pipelines = ledger.pipelines().await?;
    let endpoints = pipelines.iter().filter_map(|pipeline| Some(&pipeline.spec.deployment.as_ref()?.endpoint));
    let mut endpoints: Vec<String> = endpoints.map(|endpoint| format!("`endpoint:{endpoint}`")).collect();
    endpoints.sort();
    endpoints.dedup();
    Err(match endpoints.is_empty() {
        true => error.hint("no pipeline deploys to an endpoint yet: `tidegate apply DIR` makes one"),
        false => error.hint(format!("endpoints of the pipelines here: {}", endpoints.join(", "))),
    })
}

/// For an S3 address without a version: that of the version there is now.
async fn newest_version(session: &Session, text: &str) -> Option<NodeId> {
    let (bucket, key) = text.strip_prefix("s3://")?.split_once('/')?;
    if key.contains("?versionId=") || key.is_empty() {
        return None;
    }
    let answer = session.aws.s3().head_object().bucket(bucket).key(key).send().await.ok()?;
    Some(NodeId::named(format!("{text}?versionId={}", answer.version_id?)))
}

struct Walk<'a> {
    ledger: Ledger<'a>,
    direction: Direction,
    depth: usize,
    /// Nodes that are in the tree, so that nothing is shown twice and no circle is walked for ever.
    seen: BTreeSet<NodeId>,
}

impl Walk<'_> {
    async fn tree(
        &mut self,
        id: NodeId,
        view: Option<NodeView>,
        tie: Option<Tie>,
        depth: usize,
        at: Timestamp,
    ) -> Result<Tree, Error> {
        let mut tree = Tree { id, kind: None, tie, facts: Default::default(), cut: None, related: Vec::new() };
        let first = self.seen.insert(tree.id.clone());
        let view = match view {
            Some(view) => view,
            None if !first => {
                tree.cut = Some(Cut::Shown);
                tree.kind = None;
                return Ok(tree);
            }
            None => self.ledger.node(&tree.id).await?,
        };
        if let Some(node) = view.node {
            tree.kind = Some(node.kind);
            tree.facts = node.facts;
        }
        let related = match self.direction {
            Direction::Forward => view.effects,
            // An endpoint has served many models, and serves one.
            Direction::Back if tree.kind == Some(NodeKind::Endpoint) => {
                let mut served = view.causes;
                served.retain(|served| served.edge.at <= at);
                let newest = served.pop();
                if !served.is_empty() {
                    let earlier = format!("{} (--at TIME shows what was served then)", served.len());
                    tree.facts.insert("earlier models".to_owned(), earlier);
                }
                newest.into_iter().collect()
            }
            Direction::Back => view.causes,
        };
        if related.is_empty() {
            return Ok(tree);
        }
        if depth >= self.depth {
            tree.cut = Some(Cut::Depth);
            return Ok(tree);
        }
        for Neighbour { edge, node } in related {
            if self.seen.len() >= LARGEST {
                tree.cut = Some(Cut::Size);
                break;
            }
            let tie = Tie { relation: edge.relation, at: edge.at, run: edge.run.to_string() };
            // A future of itself must have a size.
            tree.related.push(Box::pin(self.tree(node, None, Some(tie), depth + 1, at)).await?);
        }
        Ok(tree)
    }
}

//! A pipeline definition, as the local engine reads it.

use std::collections::BTreeMap;

use local::execution::Definition;
use local::execution::graph::Progress;
use statemachine::config::Pipeline;
use statemachine::definition::render;

use super::documents::environment;

/// A definition is refused with a bounded answer, or every one of its steps comes to an end. A `pipeline.yaml` that
/// renders is read by the engine.
pub fn definition(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(pipeline) = Pipeline::parse("pipeline.yaml", &text, &|_| true)
        && let Ok(rendered) = render(&pipeline, &environment())
    {
        let read = Definition::parse(&rendered.body).expect("what is rendered is read");
        assert_eq!(read.steps.len(), pipeline.steps().len());
        runs(&read);
    }
    match Definition::parse(&text) {
        // It may quote a value twice, with a number written out.
        Err(reason) => assert!(reason.len() <= 4096 + 8 * text.len(), "{} bytes", reason.len()),
        Ok(definition) if definition.steps.len() <= 100 => runs(&definition),
        Ok(_) => {}
    }
}

/// When every step that starts succeeds, none waits for ever.
fn runs(definition: &Definition) {
    let mut progress: BTreeMap<String, Progress> = BTreeMap::new();
    for _ in 0..=definition.steps.len() {
        let next = definition.graph.next(&progress);
        if next.start.is_empty() && next.skip.is_empty() {
            break;
        }
        progress.extend(next.skip.into_iter().map(|name| (name, Progress::Skipped)));
        progress.extend(next.start.into_iter().map(|name| (name, Progress::Succeeded(Some(true)))));
    }
    assert_eq!(progress.len(), definition.steps.len(), "a step waits for ever");
}

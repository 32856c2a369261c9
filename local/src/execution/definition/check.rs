//! What can be told of a definition as a whole: every reference has its target, and the graph has no cycle.

use super::super::expr::{self, EXECUTION_VARIABLES, Reference};
use super::super::graph::Graph;
use super::{Parameter, Step, StepKind};

pub(super) fn references(parameters: &[Parameter], steps: &[Step]) -> Result<Graph, String> {
    for step in steps {
        let place = format!("Step `{}`", step.name);
        for name in &step.depends_on {
            if !steps.iter().any(|other| other.name == *name) {
                return Err(format!("{place} depends on the unknown step `{name}`"));
            }
        }
        for file in &step.property_files {
            if step.kind != StepKind::Processing {
                return Err(format!("{place} has property files, which only a Processing step can have"));
            }
            let output = expr_output(step, &file.output);
            if !output {
                return Err(format!(
                    "Property file `{}` of {place} names the unknown output `{}`",
                    file.name, file.output
                ));
            }
        }
        let found = expr::references(&step.arguments).map_err(|reason| format!("{place}: {reason}"))?;
        for reference in found {
            target(&reference, parameters, steps).map_err(|reason| format!("{place} {reason}"))?;
        }
    }
    Graph::of(steps)
}

fn expr_output(step: &Step, name: &str) -> bool {
    let outputs = step.arguments.pointer("/ProcessingOutputConfig/Outputs").and_then(|outputs| outputs.as_array());
    // An output's name may be an expression, which is only known when the step runs.
    outputs.is_some_and(|outputs| {
        outputs
            .iter()
            .filter_map(|output| output.get("OutputName"))
            .any(|output| !output.is_string() || *output == name)
    })
}

fn target(reference: &Reference, parameters: &[Parameter], steps: &[Step]) -> Result<(), String> {
    match reference {
        Reference::Parameter(name) => match parameters.iter().any(|parameter| parameter.name == *name) {
            true => Ok(()),
            false => Err(format!("reads the unknown parameter `{name}`")),
        },
        Reference::Execution(name) => match EXECUTION_VARIABLES.contains(&name.as_str()) {
            true => Ok(()),
            false => Err(format!(
                "reads the unknown execution variable `{name}`; accepted are {}",
                EXECUTION_VARIABLES.join(", ")
            )),
        },
        Reference::Property { step, .. } => match steps.iter().find(|other| other.name == *step) {
            None => Err(format!("reads a property of the unknown step `{step}`")),
            Some(other) if other.kind == StepKind::Fail => {
                Err(format!("reads a property of `{step}`, which only fails"))
            }
            Some(_) => Ok(()),
        },
        Reference::PropertyFile { step, file } => match steps.iter().find(|other| other.name == *step) {
            None => Err(format!("reads a property file of the unknown step `{step}`")),
            Some(other) if other.property_files.iter().any(|known| known.name == *file) => Ok(()),
            Some(_) => Err(format!("reads the property file `{file}`, which the step `{step}` does not have")),
        },
    }
}

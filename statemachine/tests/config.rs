//! Every error of `pipeline.yaml`: made by one change to the example, told word for word.
#![allow(clippy::unwrap_used, clippy::panic)]

use statemachine::config::{Errors, FILE_LIMIT, Grouping, Pipeline};
use statemachine::queue::Concurrency;

const EXAMPLE: &str = include_str!("golden/definition/pipeline.yaml");

const FILE: &str = "pipelines/x/pipeline.yaml";

fn parse(text: &str) -> Result<Pipeline, Errors> {
    Pipeline::parse(FILE, text, &|path| path != "src/missing.py")
}

/// The example with one change, which must be possible.
fn changed(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "{from}");
    EXAMPLE.replacen(from, to, 1)
}

/// The errors, without the file's name.
fn errors(text: &str) -> Vec<String> {
    let Err(errors) = parse(text) else { panic!("accepted:\n{text}") };
    errors.iter().map(|error| error.to_string().replacen(&format!("{FILE}:"), "", 1)).collect()
}

/// What stands in the example, what stands there instead, and every error of it.
type Case = (&'static str, &'static str, &'static [&'static str]);

fn check(cases: &[Case]) {
    for (from, to, wanted) in cases {
        assert_eq!(errors(&changed(from, to)), *wanted, "{from:?} → {to:?}");
    }
}

#[test]
fn the_example_is_accepted() {
    parse(EXAMPLE).unwrap();
}

#[test]
fn an_error_begins_with_file_line_and_column() {
    let error = parse(&changed("image: sklearn", "imge: sklearn")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pipelines/x/pipeline.yaml:18:5: `steps.preprocess.imge` is not a key here: accepted are `type`, `image`, \
         `instance`, `volume`, `script`, `inputs`, `outputs`, `arguments`, `max_runtime`, `retries`, `cache`; did you \
         mean `image`?"
    );
    let first = error.iter().next().unwrap();
    assert_eq!((first.line, first.column, first.key.as_str()), (18, 5, "steps.preprocess.imge"));
}

#[test]
#[rustfmt::skip]
fn keys_that_are_unknown_missing_empty_or_double() {
    check(&[
        ("pipeline: breast-cancer\n", "", &[
            "1:1: the file has no `pipeline`: add it, such as `pipeline: my-pipeline`",
        ]),
        ("pipeline: breast-cancer", "pipeline:", &[
            "1:1: `pipeline` has no value: give it one, such as `pipeline: my-pipeline`",
        ]),
        ("    max_runtime: 30m", "    max_runtime: 30m\n    max_runtime: 1h", &[
            "36:5: `steps.train.max_runtime` stands twice, first on line 35: keep one of them",
        ]),
        ("    type: training\n", "", &[
            "27:3: `steps.train` has no `type`: add it, such as `type: processing`",
        ]),
        ("report: evaluation.json", "report: evaluation.json\n    cache: 1h", &[
            "45:5: `steps.evaluate.cache` is not a key here: accepted are `type`, `image`, `instance`, `volume`, `script`, `inputs`, `arguments`, `report`, `max_runtime`, `retries`",
        ]),
        ("trigger:\n  arrival:\n    prefix: raw/breast-cancer/\n    suffix: .csv\n", "trigger:\n", &[
            "3:1: `trigger` has no value: give it one, or remove the key",
        ]),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_is_no_gate_or_deploys_without_one() {
    check(&[
        ("trigger:", "triger:", &[
            "3:1: `triger` is not a key here: accepted are `pipeline`, `description`, `trigger`, `schedules`, `concurrency`, `deadline`, `parameters`, `steps`, `gate`, `deployment`; did you mean `trigger`?",
        ]),
        ("at_least: 0.90", "at_leest: 0.90", &[
            "47:5: `gate[0].at_leest` is not a key here: accepted are `metric`, `at_least`, `above`, `at_most`, `below`, `champion`; did you mean `at_least`?",
        ]),
        ("at_least: 0.90", "greater_than: 0.90", &[
            "47:5: `gate[0].greater_than` is not a key here: accepted are `metric`, `at_least`, `above`, `at_most`, `below`, `champion`",
        ]),
        ("at_least: 0.90", "at_least: high", &[
            "47:15: `gate[0].at_least` is the text `high`: accepted is a number",
        ]),
        ("at_least: 0.90", "at_least: .nan", &[
            "47:15: `gate[0].at_least` is the text `.nan`: accepted is a number",
        ]),
        ("    at_least: 0.90\n", "", &[
            "46:5: `gate[0]`: the criterion on `binary_classification_metrics.accuracy` demands nothing: give a bound (at_least, above, at_most, below) or `champion`",
        ]),
        ("at_least: 0.90", "at_least: 0.90\n    at_most: 1", &[
            "46:5: `gate[0]` has `at_least`, `at_most`: give one, and another criterion for the other",
        ]),
        ("    at_least: 0.95\n", "", &[
            "49:5: `gate[1].champion` does not tell which way is better: add a bound such as `at_least: 0.9`, or `better: higher`",
        ]),
        ("{tolerance: 0.02}", "{tolerance: -1}", &[
            "50:27: `gate[1].champion.tolerance`: `-1` is not a tolerance: accepted is a number of 0 or more",
        ]),
        ("{tolerance: 0.02}", "{tolerance: 0.02, better: lower}", &[
            "50:41: `gate[1].champion.better`: it contradicts the bound of this criterion: remove `better`",
        ]),
        ("binary_classification_metrics.auc", "binary..auc", &[
            "48:13: `gate[1].metric`: `binary..auc` is not a metric path: accepted are names of letters, digits, `_`, `-` and `@`, joined by dots",
        ]),
        ("gate:\n", "gates:\n", &[
            "45:1: `gates` is not a key here: accepted are `pipeline`, `description`, `trigger`, `schedules`, `concurrency`, `deadline`, `parameters`, `steps`, `gate`, `deployment`; did you mean `gate`?",
            "51:1: `deployment` needs `gate`: no model goes live without a passed gate, add one with a metric of the evaluation",
        ]),
        ("type: evaluation", "type: processing", &[
            "36:3: `steps.evaluate` has no `outputs`: add it, such as `outputs: [data]`",
            "44:5: `steps.evaluate.report` is not a key here: accepted are `type`, `image`, `instance`, `volume`, `script`, `inputs`, `outputs`, `arguments`, `max_runtime`, `retries`, `cache`",
            "45:1: `gate` needs an evaluation: add a step of `type: evaluation`, whose report the gate reads",
        ]),
        ("gate:\n  - metric: binary_classification_metrics.accuracy\n    at_least: 0.90\n  - metric: binary_classification_metrics.auc\n    at_least: 0.95\n    champion: {tolerance: 0.02}\n", "", &[
            "45:1: `deployment` needs `gate`: no model goes live without a passed gate, add one with a metric of the evaluation",
        ]),
        ("gate:\n  - metric: binary_classification_metrics.accuracy\n    at_least: 0.90\n  - metric: binary_classification_metrics.auc\n    at_least: 0.95\n    champion: {tolerance: 0.02}\n", "gate: []\n", &[
            "45:7: `gate`: a gate needs at least one criterion",
        ]),
    ]);
}

#[test]
#[rustfmt::skip]
fn steps_that_read_what_is_not_there_or_wait_for_one_another() {
    check(&[
        ("preprocess.train", "preproces.train", &[
            "33:14: `steps.train.inputs.train`: there is no step `preproces`: accepted are `preprocess`, `train`, `evaluate`; did you mean `preprocess`?",
        ]),
        ("preprocess.train", "preprocess.trian", &[
            "33:14: `steps.train.inputs.train`: step `preprocess` has no output `trian`: accepted are `train`, `test`",
        ]),
        ("preprocess.train", "nowhere", &[
            "33:14: `steps.train.inputs.train`: `nowhere` is not a source: accepted is `<step>.<output>`, an address that begins with `s3://`, or a parameter, such as `{{parameters.InputDataUri}}`",
        ]),
        ("data: \"{{parameters.InputDataUri}}\"", "data: train.model", &[
            "16:3: `steps.preprocess`: `preprocess` reads from `train` reads from `preprocess`: steps cannot wait for one another, remove one of these inputs",
        ]),
        ("  train:\n    type", "  tr ain:\n    type", &[
            "27:3: `steps`: `tr ain` is not a step name: accepted are letters, digits, `-` and `_`, beginning with a letter or digit",
            "36:3: `steps.evaluate` reads 0 models: the gate judges one, give it exactly one input of the form `<training step>.model`",
            "42:14: `steps.evaluate.inputs.model`: there is no step `train`: accepted are `preprocess`, `tr ain`, `evaluate`; did you mean `tr ain`?",
        ]),
    ]);
}

#[test]
#[rustfmt::skip]
fn parameters_that_are_not_declared_or_do_not_fit() {
    check(&[
        ("    image: autogluon\n    instance: ml.m5.large\n    script: src/train.py", "    imge: autogluon\n    instance: ml.m5.large\n    script: src/train.py", &[
            "29:5: `steps.train.imge` is not a key here: accepted are `type`, `image`, `instance`, `volume`, `script`, `inputs`, `hyperparameters`, `max_runtime`, `retries`, `cache`; did you mean `image`?",
        ]),
        ("{{parameters.InputDataUri}}", "{{parameters.InputDatUri}}", &[
            "22:13: `steps.preprocess.inputs.data`: there is no parameter `InputDatUri`: accepted are `InputDataUri`, `InstanceType`; did you mean `InputDataUri`?",
        ]),
        ("{{parameters.InstanceType}}", "{{parameters.Machine}}", &[
            "19:15: `steps.preprocess.instance`: there is no parameter `Machine`: accepted are `InputDataUri`, `InstanceType`; or declare it under `parameters`",
        ]),
        ("{{parameters.InputDataUri}}", "{{paramters.InputDataUri}}", &[
            "22:13: `steps.preprocess.inputs.data`: `{{paramters.InputDataUri}}` is not a placeholder: accepted are `{{parameters.NAME}}`, `{{bucket}}`, `{{account}}` and `{{region}}`",
        ]),
        ("{{parameters.InputDataUri}}", "{{parameters.InputDataUri", &[
            "22:13: `steps.preprocess.inputs.data`: `{{parameters.InputDataUri` has `{{` without `}}`: close the placeholder",
        ]),
        ("  InstanceType: ml.m5.large", "  InstanceType: 5", &[
            "19:15: `steps.preprocess.instance`: parameter `InstanceType` is of type Integer: accepted is an instance type, such as `ml.m5.large`",
        ]),
        ("  InstanceType: ml.m5.large", "  InstanceType: big", &[
            "19:15: `steps.preprocess.instance`: the default of parameter `InstanceType` will not do: `big` is not an instance type: accepted is `ml.<family>.<size>`, such as `ml.m5.large`",
        ]),
        ("  InstanceType: ml.m5.large", "  InstanceType: [a]", &[
            "14:17: `parameters.InstanceType`: a list is not a plain value: accepted are text, a number, `true` or `false`",
        ]),
        ("  InstanceType: ml.m5.large", "  InstanceType: ml.m5.large\n  InputDataUri: s3://x/y", &[
            "15:3: `parameters.InputDataUri` is built in: remove it",
        ]),
        ("label: diagnosis", "sagemaker_program: x", &[
            "34:23: `steps.train.hyperparameters`: `sagemaker_program` is not free: names in `sagemaker_` are the container's own",
        ]),
        ("label: diagnosis", "label: [a]", &[
            "34:30: `steps.train.hyperparameters.label`: a list is not a plain value: accepted are text, a number, `true` or `false`",
        ]),
        ("{label: diagnosis, preset: medium_quality}", "[label]", &[
            "34:22: `steps.train.hyperparameters` is a list: accepted is a mapping of names and values",
        ]),
    ]);
}

#[test]
#[rustfmt::skip]
fn values_that_are_not_accepted() {
    check(&[
        ("pipeline: breast-cancer", "pipeline: breast cancer", &[
            "1:11: `pipeline`: `breast cancer` is not a pipeline name: accepted are letters, digits and hyphens, beginning and ending with a letter or digit",
        ]),
        ("pipeline: breast-cancer", "pipeline: [a]", &[
            "1:11: `pipeline` is a list: accepted is text",
        ]),
        ("src/train.py", "src/missing.py", &[
            "31:13: `steps.train.script`: `src/missing.py` does not exist beside pipeline.yaml: create it or mend the path",
        ]),
        ("src/train.py", "../train.py", &[
            "31:13: `steps.train.script`: `../train.py` is not a script: accepted is a Python file in `src/` beside pipeline.yaml, such as `src/train.py`",
        ]),
        ("    max_runtime: 30m", "    max_runtime: 30", &[
            "35:18: `steps.train.max_runtime`: `30` is not a length of time: accepted is a whole number with `s`, `m`, `h` or `d`, such as `30m`",
        ]),
        ("    max_runtime: 30m", "    max_runtime: 40d", &[
            "35:18: `steps.train.max_runtime`: `40d` is too long: SageMaker accepts `28d` at most",
        ]),
        ("    max_runtime: 30m", "    max_runtime: 0s", &[
            "35:18: `steps.train.max_runtime`: `0s` is not a length of time: accepted is a whole number with `s`, `m`, `h` or `d`, such as `30m`",
        ]),
        ("attempts: 2", "attempts: two", &[
            "25:25: `steps.preprocess.retries.attempts` is the text `two`: accepted is a whole number",
        ]),
        ("attempts: 2", "attempts: 21", &[
            "25:25: `steps.preprocess.retries.attempts`: `21` is not a number of attempts: accepted is a whole number from 1 to 20",
        ]),
        ("image: sklearn", "image: scikit", &[
            "18:12: `steps.preprocess.image`: `scikit` is not an image: accepted are `sklearn`, `autogluon`, or an address such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/model:3`",
        ]),
        ("ml.m5.large\n    script: src/train.py", "m5.large\n    script: src/train.py", &[
            "30:15: `steps.train.instance`: `m5.large` is not an instance type: accepted is `ml.<family>.<size>`, such as `ml.m5.large`",
        ]),
        ("type: training", "type: trainig", &[
            "28:11: `steps.train.type`: `trainig` is not a type of step: accepted are `processing`, `training`, `evaluation`",
        ]),
        ("report: evaluation.json", "report: evaluation.txt", &[
            "44:13: `steps.evaluate.report`: `evaluation.txt` is not a report: accepted is the name of a JSON file, such as `evaluation.json`",
        ]),
        ("prefix: raw/breast-cancer/", "prefix: data/breast-cancer/", &[
            "5:13: `trigger.arrival.prefix`: `data/breast-cancer/` is not a prefix for arrivals: accepted is a folder below `raw/`, such as `raw/breast-cancer/`, of letters, digits and `-_.=`",
        ]),
        ("approval: automatic", "approval: never", &[
            "57:13: `deployment.approval`: `never` is not accepted: accepted are `automatic` and `manual`",
        ]),
        ("instances: 1", "instances: 0", &[
            "55:14: `deployment.instances`: `0` is not a number of instances: accepted is a whole number from 1 to 100",
        ]),
        ("instances: 1", "instances: \"1\"", &[
            "55:14: `deployment.instances` is the text `1`: accepted is a whole number",
        ]),
        ("outputs: [train, test]", "outputs: [train, train]", &[
            "23:22: `steps.preprocess.outputs[1]`: `train` stands twice: remove one",
        ]),
        ("outputs: [train, test]", "outputs: [train, test, test_labels]", &[
            "23:28: `steps.preprocess.outputs[2]`: `test_labels` and `test` begin alike, and SageMaker reads by prefix: rename one of them",
        ]),
        ("      data: \"", "      code: \"", &[
            "22:7: `steps.preprocess.inputs.code` is not free: the scripts lie there, choose another name",
        ]),
        ("      model: train.model\n", "", &[
            "36:3: `steps.evaluate` reads 0 models: the gate judges one, give it exactly one input of the form `<training step>.model`",
        ]),
        ("description: Tell", "description: \"\\tTell\"\n#", &[
            r#"2:14: `description`: `\tTell` has a line break or control character: write one line"#,
        ]),
        ("[--test-fraction, \"0.2\"]", "--test-fraction 0.2", &[
            "24:16: `steps.preprocess.arguments` is the text `--test-fraction 0.2`: accepted is a list",
        ]),
        ("[--test-fraction, \"0.2\"]", "[--test-fraction, [1]]", &[
            "24:34: `steps.preprocess.arguments[1]` is a list: accepted is text",
        ]),
        ("  evaluate:\n", "  evaluate: later\n  evaluate2:\n", &[
            "36:13: `steps.evaluate` is the text `later`: accepted is a mapping with `type`, `image`, `instance`, `volume`, `script`, `inputs`, `outputs`, `arguments`, `max_runtime`, `retries`, `cache`",
        ]),
        ("    report: evaluation.json\n", "    report: evaluation.json\n  again:\n    type: evaluation\n    image: autogluon\n    instance: ml.m5.large\n    script: src/evaluate.py\n    report: evaluation.json\n", &[
            "45:3: `steps.again` is a second evaluation: a gate reads one report, make it `type: processing`",
        ]),
        ("interval: 5s", "interval: 5s, backoff: 0.5", &[
            "25:51: `steps.preprocess.retries.backoff`: `0.5` is not a backoff: accepted is a number of 1 or more",
        ]),
        ("suffix: .csv", "suffix: \".c sv\"", &[
            "6:13: `trigger.arrival.suffix`: `.c sv` is not a suffix: accepted are visible ASCII characters, such as `.csv`",
        ]),
        ("endpoint: breast-cancer", "endpoint: breast_cancer", &[
            "52:13: `deployment.endpoint`: `breast_cancer` is not an endpoint name: accepted are letters, digits and hyphens, beginning and ending with a letter or digit",
        ]),
    ]);
}

#[test]
#[rustfmt::skip]
fn arrivals_that_could_start_nothing_or_contradict_themselves() {
    check(&[
        ("suffix: .csv", "min_size: 10KB", &[
            "6:15: `trigger.arrival.min_size`: `10KB` is not a size: accepted is a whole number of bytes from 1 to 50 TB, or one with `KiB`, `MiB`, `GiB` or `TiB`, such as `10MiB`",
        ]),
        ("suffix: .csv", "min_size: 0", &[
            "6:15: `trigger.arrival.min_size`: `0` is not a size: accepted is a whole number of bytes from 1 to 50 TB, or one with `KiB`, `MiB`, `GiB` or `TiB`, such as `10MiB`",
        ]),
        ("suffix: .csv", "max_size: 1KiB\n    min_size: 1MiB", &[
            "6:15: `trigger.arrival.max_size`: `1KiB` is less than `min_size`, which is `1MiB`: no object would start a run",
        ]),
        ("suffix: .csv", "batch: {quiet: 30s}", &[
            "6:20: `trigger.arrival.batch.quiet`: `30s` is not a quiet period: accepted is `1m` to `12h`",
        ]),
        ("suffix: .csv", "batch: {quiet: 13h, longest: 24h}", &[
            "6:20: `trigger.arrival.batch.quiet`: `13h` is not a quiet period: accepted is `1m` to `12h`",
        ]),
        ("suffix: .csv", "batch: {quiet: 5m, longest: 2m}", &[
            "6:33: `trigger.arrival.batch.longest`: `2m` is not a longest wait: accepted is `5m`, the quiet period, to `24h`",
        ]),
        ("suffix: .csv", "batch: {quiet: 5m, longest: 2d}", &[
            "6:33: `trigger.arrival.batch.longest`: `2d` is not a longest wait: accepted is `5m`, the quiet period, to `24h`",
        ]),
        ("suffix: .csv", "batch: {quiet: 2h}", &[
            "6:20: `trigger.arrival.batch.quiet`: `2h` is more than `longest`, which is `1h` unless it is given: add it",
        ]),
        ("suffix: .csv", "batch: {longest: 2h}", &[
            "6:5: `trigger.arrival.batch` has no `quiet`: add it, such as `quiet: 2m`",
        ]),
        ("suffix: .csv", "batch: 5m", &[
            "6:12: `trigger.arrival.batch` is the text `5m`: accepted is a mapping with `quiet`, `longest`",
        ]),
        ("suffix: .csv", "batch: {quiet: 5m}\n    complete: {marker: _SUCCESS}", &[
            "4:3: `trigger.arrival` has `batch` and `complete`: either a quiet period or a file tells that all is there, remove one",
        ]),
        ("suffix: .csv", "complete: {}", &[
            "6:5: `trigger.arrival.complete` has none of `marker` and `manifest`: give exactly one, such as `marker: _SUCCESS`",
        ]),
        ("suffix: .csv", "complete: {marker: _SUCCESS, manifest: manifest.json}", &[
            "6:5: `trigger.arrival.complete` has both of `marker` and `manifest`: give exactly one, such as `marker: _SUCCESS`",
        ]),
        ("suffix: .csv", "complete: {marker: }", &[
            "6:16: `trigger.arrival.complete.marker` has no value: give it one, or remove the key",
        ]),
        ("suffix: .csv", "complete: {marker: done/_SUCCESS}", &[
            "6:24: `trigger.arrival.complete.marker`: `done/_SUCCESS` is not the name of an object in its folder: accepted is visible ASCII characters without `/`, such as `_SUCCESS`",
        ]),
        ("suffix: .csv", "complete: {markers: _SUCCESS}", &[
            "6:5: `trigger.arrival.complete` has none of `marker` and `manifest`: give exactly one, such as `marker: _SUCCESS`",
            "6:16: `trigger.arrival.complete.markers` is not a key here: accepted are `marker`, `manifest`; did you mean `marker`?",
        ]),
        ("suffix: .csv", "expected: {timezone: Europe/Zurich}", &[
            "6:5: `trigger.arrival.expected` has no `by`: add it, such as `by: \"06:00\"`",
        ]),
        ("suffix: .csv", "expected: {by: 6 am}", &[
            "6:20: `trigger.arrival.expected.by`: `6 am` is not a time of day: accepted is `00:00` to `23:59`, such as `06:00`",
        ]),
        ("suffix: .csv", "expected: {by: \"06:00\", days: weekdays}", &[
            "6:35: `trigger.arrival.expected.days`: `weekdays` is not a choice of days: accepted is days from `MON` to `SUN`, ranges of them and lists, such as `MON-FRI` or `TUE,SAT`",
        ]),
        ("suffix: .csv", "expected: {by: \"06:00\", timezone: CEST}", &[
            "6:39: `trigger.arrival.expected.timezone`: `CEST` is not a time zone: accepted are the names of the IANA database, such as `Europe/Zurich` or `UTC`",
        ]),
        ("suffix: .csv", "expected: {by: \"06:00\", within: 5w}", &[
            "6:37: `trigger.arrival.expected.within`: `35d` is not a time to look back: accepted is `1m` to `31d`",
        ]),
        ("suffix: .csv", "sufix: .csv", &[
            "6:5: `trigger.arrival.sufix` is not a key here: accepted are `prefix`, `suffix`, `min_size`, `max_size`, `batch`, `complete`, `expected`; did you mean `suffix`?",
        ]),
    ]);
}

#[test]
#[rustfmt::skip]
fn limits_of_concurrency_and_time_that_are_none() {
    check(&[
        ("parameters:\n  Inst", "concurrency: single\nparameters:\n  Inst", &[
            "13:14: `concurrency`: `single` is not accepted: accepted are `queue`, `skip`, `replace` and `{parallel: 3}`",
        ]),
        ("parameters:\n  Inst", "concurrency: 3\nparameters:\n  Inst", &[
            "13:14: `concurrency`: `3` is not accepted: accepted are `queue`, `skip`, `replace` and `{parallel: 3}`",
        ]),
        ("parameters:\n  Inst", "concurrency: {parallel: 0}\nparameters:\n  Inst", &[
            "13:25: `concurrency.parallel`: `0` is not a number of executions at a time: accepted is a whole number from 1 to 200",
        ]),
        ("parameters:\n  Inst", "concurrency: {paralel: 3}\nparameters:\n  Inst", &[
            "13:15: `concurrency.paralel` is not a key here: accepted are `parallel`; did you mean `parallel`?",
        ]),
        ("parameters:\n  Inst", "concurrency: {}\nparameters:\n  Inst", &[
            "13:1: `concurrency` has no `parallel`: add it, such as `parallel: 3`",
        ]),
        ("parameters:\n  Inst", "concurrency: [queue]\nparameters:\n  Inst", &[
            "13:14: `concurrency`: a list is not accepted: accepted are `queue`, `skip`, `replace` and `{parallel: 3}`",
        ]),
        ("parameters:\n  Inst", "deadline: 4m\nparameters:\n  Inst", &[
            "13:11: `deadline`: `4m` is not a deadline: accepted is `5m` to `30d`",
        ]),
        ("parameters:\n  Inst", "deadline: 31d\nparameters:\n  Inst", &[
            "13:11: `deadline`: `31d` is not a deadline: accepted is `5m` to `30d`",
        ]),
        ("parameters:\n  Inst", "deadline: tomorrow\nparameters:\n  Inst", &[
            "13:11: `deadline`: `tomorrow` is not a length of time: accepted is a whole number with `s`, `m`, `h` or `d`, such as `30m`",
        ]),
    ]);
}

#[test]
#[rustfmt::skip]
fn schedules_that_could_not_fire() {
    check(&[
        ("      InputDataUri: s3", "      Other: s3", &[
            "12:14: `schedules.nightly.parameters.Other`: there is no parameter `Other`: accepted are `InputDataUri`, `InstanceType`; or declare it under `parameters`",
        ]),
        ("cron: \"0 3 * * ? *\"", "cron: \"0 3 * * *\"", &[
            "9:11: `schedules.nightly.cron`: `0 3 * * *` has 5 fields: a cron expression has 6, minutes, hours, day of month, month, day of week and year, such as `0 3 * * ? *`",
        ]),
        ("cron: \"0 3 * * ? *\"", "cron: \"0 25 * * ? *\"", &[
            "9:11: `schedules.nightly.cron`: `25` is not accepted for the hours of `0 25 * * ? *`: accepted are 0-23 and `, - * /`",
        ]),
        ("cron: \"0 3 * * ? *\"", "cron: \"0 3 * * * *\"", &[
            "9:11: `schedules.nightly.cron`: `0 3 * * * *` must have `?` for one of day of month and day of week, and only for one, such as `0 3 * * ? *`",
        ]),
        ("cron: \"0 3 * * ? *\"", "rate: 1 fortnight", &[
            "9:11: `schedules.nightly.rate`: `1 fortnight` is not a rate: accepted is a whole number and `minutes`, `hours` or `days`, such as `1 day`",
        ]),
        ("cron: \"0 3 * * ? *\"", "at: tomorrow", &[
            "9:9: `schedules.nightly.at`: `tomorrow` is not a point in time: accepted is `2026-12-01T06:00:00`, in the schedule's time zone",
        ]),
        ("cron: \"0 3 * * ? *\"", "cron: \"0 3 * * ? *\"\n    rate: 1 day", &[
            "8:3: `schedules.nightly` has `cron`, `rate`: give exactly one of `cron`, `rate` and `at`",
        ]),
        ("    cron: \"0 3 * * ? *\"\n", "", &[
            "8:3: `schedules.nightly` has none of `cron`, `rate` and `at`: give exactly one",
        ]),
        ("Europe/Zurich", "Europe/Zürich", &[
            "10:15: `schedules.nightly.timezone`: `Europe/Zürich` is not a time zone: accepted are the names of the IANA database, such as `Europe/Zurich` or `UTC`",
        ]),
        ("Europe/Zurich", "europe/zurich", &[
            "10:15: `schedules.nightly.timezone`: `europe/zurich` is not a time zone: did you mean `Europe/Zurich`?",
        ]),
        ("  nightly:", "  nightly run:", &[
            "8:3: `schedules`: `nightly run` is not a schedule name: accepted are letters, digits, `-` and `_`, beginning with a letter or digit",
        ]),
        ("trigger:\n  arrival:\n    prefix: raw/breast-cancer/\n    suffix: .csv\nschedules:\n  nightly:\n    cron: \"0 3 * * ? *\"\n    timezone: Europe/Zurich\n    parameters:\n      InputDataUri: s3://{{bucket}}/raw/breast-cancer/\n", "schedules:\n  nightly:\n    rate: 1 day\n", &[
            "4:3: `schedules.nightly` gives no `InputDataUri`, and without `trigger.arrival` it has no default: add it under `parameters`",
        ]),
        ("      InputDataUri: s3://{{bucket}}/raw/breast-cancer/", "      InputDataUri: s3://{{parameters.InstanceType}}/raw/", &[
            "12:21: `schedules.nightly.parameters.InputDataUri`: a schedule knows no parameters: accepted are text, `{{bucket}}`, `{{account}}` and `{{region}}`",
        ]),
    ]);
}

#[test]
#[rustfmt::skip]
fn text_that_is_not_the_yaml_of_one_pipeline() {
    check(&[
        ("steps:", "steps: !x", &[
            "15:8: a tag is not accepted: write the value without `!`",
        ]),
        ("    type: processing", "\ttype: processing", &[
            "17:2: the line is indented with a tab: YAML accepts spaces only, replace it",
        ]),
        ("outputs: [train, test]", "outputs: [train, test", &[
            "24:14: not YAML: illegal placement of ':' indicator",
        ]),
        ("pipeline: breast-cancer", "pipeline: breast-cancer\n---\na: b", &[
            "2:1: a second document begins here: one file holds one pipeline",
        ]),
    ]);
}

#[test]
fn names_that_are_too_long() {
    let name = |key: &str, length: usize| {
        errors(&changed(&format!("{key}: breast-cancer\n"), &format!("{key}: {}\n", "x".repeat(length))))
    };
    assert_eq!(
        name("pipeline", 257),
        [format!(
            "1:11: `pipeline`: `{}…` has 257 characters: a pipeline name has 256 at most, shorten it",
            "x".repeat(80)
        )]
    );
    assert_eq!(
        name("pipeline", 64),
        [
            "1:11: `pipeline`: the name has 64 characters: a pipeline that deploys names a model package group, which \
             has 63 at most, shorten it",
            "8:3: `schedules.nightly`: with the pipeline's name it has 72 characters: EventBridge Scheduler accepts 64, \
             shorten either",
        ]
    );
    assert_eq!(
        name("endpoint", 45),
        [format!(
            "52:13: `deployment.endpoint`: `{}` has 45 characters: an endpoint name, to which a run id is added, has 44 \
             at most, shorten it",
            "x".repeat(45)
        )]
    );
    let expecting = changed("    suffix: .csv\n", "    expected: {by: \"06:00\"}\n").replacen("  nightly:", "  n:", 1);
    let named = |length: usize| expecting.replacen("breast-cancer", &"x".repeat(length), 1);
    assert_eq!(
        errors(&named(55)),
        ["1:11: `pipeline`: the name has 55 characters: with `trigger.arrival.expected`, which takes a schedule in \
             EventBridge Scheduler, it has 54 at most, shorten it",]
    );
    assert_eq!(parse(&named(54)).unwrap().expected_resource_name().len(), 64);
    let at_limit = |key: &str, length: usize| {
        parse(&changed(&format!("{key}: breast-cancer\n"), &format!("{key}: {}\n", "x".repeat(length)))).unwrap();
    };
    at_limit("pipeline", 56);
    at_limit("endpoint", 44);
}

#[test]
fn all_problems_are_told_in_the_order_of_the_file() {
    let text = changed("prefix: raw/", "prefix: row/")
        .replace("type: training", "type: trainig")
        .replace("instances: 1", "instances: many")
        .replace("Europe/Zurich", "Europe/Bern");
    let lines: Vec<String> = errors(&text).iter().map(|error| error.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(lines, ["5", "10", "28", "55"]);
}

#[test]
fn an_empty_file_says_how_to_begin() {
    for text in ["", "\n", "# only a comment\n", "---\n"] {
        let errors = errors(text);
        assert_eq!(errors.len(), 1, "{text:?}: {errors:?}");
    }
    assert_eq!(errors(""), ["1:1: the file is empty: begin with `pipeline: <name>`"]);
    let list = errors("- a\n");
    assert!(list[0].starts_with("1:1: the file is a list: accepted is a mapping with `pipeline`, "), "{list:?}");
}

#[test]
fn a_bomb_of_aliases_is_refused_at_once() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let errors = errors(&text);
    assert!(errors.last().unwrap().ends_with("too many values, aliases included: make the file smaller"), "{errors:?}");
    // One long text many times over is as bad as many texts.
    let aliases = "- *a\n".repeat(10_000);
    let text = format!("a: &a {}\nb:\n{aliases}", "x".repeat(100_000));
    assert!(parse(&text).unwrap_err().to_string().contains("too many values"));
}

#[test]
fn an_alias_within_reason_is_accepted() {
    let text = changed(
        "instance: ml.m5.large\n    script: src/train.py",
        "instance: &i ml.m5.large\n    script: src/train.py",
    )
    .replace("instance: ml.m5.large\n    script: src/evaluate.py", "instance: *i\n    script: src/evaluate.py");
    assert_eq!(parse(&text).unwrap(), parse(EXAMPLE).unwrap());
}

#[test]
fn a_file_too_large_or_too_deep_is_refused() {
    let text = format!("{EXAMPLE}# {}", "x".repeat(FILE_LIMIT));
    let told = errors(&text);
    assert_eq!(told, [format!("1:1: the file has {} bytes: 1048576 are accepted, make it smaller", text.len())]);
    let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    assert!(errors(&deep)[0].ends_with("nested more than 32 levels deep: flatten it"));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    for error in errors(&changed("image: sklearn", "image: \"\\e[31m\\n\\u202e\"")) {
        assert!(error.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{error:?}");
    }
    for error in errors(&changed("metric: binary", "metric: bin\tary")) {
        assert!(error.contains("`bin\\tary_"), "{error:?}");
    }
    for error in errors(&changed("image: sklearn", "\"im\\e[31mage\": sklearn")) {
        assert!(error.chars().all(|c| !c.is_control()), "{error:?}");
    }
}

#[test]
fn a_minimal_pipeline_is_enough() {
    let text = "pipeline: p\nsteps:\n  s:\n    type: processing\n    image: sklearn\n    instance: ml.t3.medium\n    \
                script: src/s.py\n    outputs: [o]\n";
    let pipeline = parse(text).unwrap();
    assert!(pipeline.gate().is_none() && pipeline.deployment().is_none() && pipeline.arrival().is_none());
    assert_eq!(pipeline.step("s").unwrap().max_runtime.seconds(), 3600);
}

#[test]
fn what_a_trigger_may_say_is_read_and_defaults_are_filled_in() {
    let trigger = |text: &str| {
        let text = changed("    suffix: .csv\n", &format!("    {text}\n"));
        parse(&text).unwrap().arrival().unwrap().clone()
    };
    let plain = parse(EXAMPLE).unwrap().arrival().unwrap().clone();
    assert_eq!((plain.grouping, plain.expected), (Grouping::Each, None));
    assert_eq!((plain.size.min(), plain.size.max()), (None, None));

    let sizes = trigger("min_size: 1\n    max_size: 2GiB").size;
    assert_eq!((sizes.min().unwrap().bytes(), sizes.max().unwrap().bytes()), (1, 2_147_483_648));
    let Grouping::Batch(batch) = trigger("batch: {quiet: 2m}").grouping else { panic!("no batch") };
    assert_eq!((batch.quiet().seconds(), batch.longest().seconds()), (120, 3600));
    let Grouping::Marker(name) = trigger("complete: {marker: _SUCCESS}").grouping else { panic!("no marker") };
    assert_eq!(name.as_str(), "_SUCCESS");
    let Grouping::Manifest(name) = trigger("complete: {manifest: m.json}").grouping else { panic!("no manifest") };
    assert_eq!(name.as_str(), "m.json");

    let expected = trigger("expected: {by: 06:00}").expected.unwrap();
    assert_eq!((expected.cron().as_str(), expected.time_zone().as_str()), ("0 6 * * ? *", "UTC"));
    assert_eq!(expected.within().seconds(), 86_400);
    let text = "expected: {by: \"18:30\", timezone: Europe/Zurich, days: MON-FRI, within: 12h}";
    let expected = trigger(text).expected.unwrap();
    assert_eq!((expected.cron().as_str(), expected.time_zone().as_str()), ("30 18 ? * MON-FRI *", "Europe/Zurich"));
    assert_eq!(expected.within().seconds(), 43_200);
}

#[test]
fn concurrency_and_deadline_have_defaults() {
    let with = |text: &str| parse(&changed("parameters:\n  Inst", &format!("{text}\nparameters:\n  Inst"))).unwrap();
    let plain = parse(EXAMPLE).unwrap();
    assert_eq!((plain.concurrency(), plain.deadline().seconds()), (Concurrency::Unlimited, 86_400));
    for (text, concurrency) in [
        ("queue", Concurrency::Wait { at_most: 1 }),
        ("{parallel: 3}", Concurrency::Wait { at_most: 3 }),
        ("{parallel: 200}", Concurrency::Wait { at_most: 200 }),
        ("skip", Concurrency::Skip),
        ("replace", Concurrency::Replace),
    ] {
        assert_eq!(with(&format!("concurrency: {text}")).concurrency(), concurrency, "{text}");
    }
    for (text, seconds) in [("5m", 300), ("24h", 86_400), ("30d", 2_592_000)] {
        assert_eq!(with(&format!("deadline: {text}")).deadline().seconds(), seconds, "{text}");
    }
}

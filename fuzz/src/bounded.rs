//! A bounded run over a target, for tests: its seeds, mutations of them, and noise.

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// Every committed seed of a target, by its file's name.
pub fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), std::fs::read(&path).unwrap())
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} has no seed", folder.display());
    seeds
}

/// Gives a target its seeds, nestings that are too deep for any reader, and so many mutations.
pub fn run(name: &str, target: fn(&[u8]), cases: u32) {
    let seeds = seeds(name);
    for (path, seed) in &seeds {
        // A failure names its seed.
        if let Err(panic) = std::panic::catch_unwind(|| target(seed)) {
            eprintln!("the seed is {path}");
            std::panic::resume_unwind(panic);
        }
    }
    for opening in ["[", "{\"a\":", "- ", "{a: ", "? "] {
        target(opening.repeat(50_000).as_bytes());
    }
    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, seed)| seed).collect();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let checked = TestRunner::new(config).run(&inputs(seeds), |input| {
        target(&input);
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{name}: {error}"));
}

fn inputs(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => mutated(seeds.clone()),
        4 => mutated_json(seeds),
        1 => prop::collection::vec(any::<u8>(), 0..600),
        1 => json_value().prop_map(|value| value.to_string().into_bytes()),
    ]
}

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Cut(Index),
    /// A piece of another seed goes in.
    Splice(Index, Index, Index, usize),
}

fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let word = select(WORDS).prop_map(|word| word.as_bytes().to_vec());
    let piece = prop_oneof![word, prop::collection::vec(any::<u8>(), 1..8)];
    let edit = prop_oneof![
        (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Edit::Flip(at, bits)),
        (any::<Index>(), piece).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        any::<Index>().prop_map(Edit::Cut),
        (any::<Index>(), any::<Index>(), any::<Index>(), 1..200_usize)
            .prop_map(|(at, seed, from, length)| Edit::Splice(at, seed, from, length)),
    ];
    (select(seeds.clone()), prop::collection::vec(edit, 1..5)).prop_map(move |(mut bytes, edits)| {
        for edit in edits {
            let place = |at: Index| at.index(bytes.len() + 1);
            match edit {
                Edit::Flip(at, bits) => {
                    let at = place(at);
                    bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bits);
                }
                Edit::Insert(at, piece) => {
                    let at = place(at);
                    bytes.splice(at..at, piece);
                }
                Edit::Remove(at, length) => {
                    let at = place(at);
                    bytes.drain(at..(at + length).min(bytes.len()));
                }
                Edit::Cut(at) => bytes.truncate(place(at)),
                Edit::Splice(at, seed, from, length) => {
                    let (at, other) = (place(at), &seeds[seed.index(seeds.len())]);
                    let from = from.index(other.len() + 1);
                    bytes.splice(at..at, other[from..(from + length).min(other.len())].to_vec());
                }
            }
        }
        bytes
    })
}

const WORDS: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-1",
    "1e999",
    "NaN",
    "Infinity",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{202e}",
    "\u{0}",
    "\n",
    "\t",
    "&a",
    "*a",
    "!t",
    "|",
    ">",
    "---\n",
    "{{",
    "}}",
    "s3://",
    "arn:aws:",
    "../",
    "/",
    "%",
    "é",
];

/// The shape stays JSON; values within it change places or become odd.
fn mutated_json(seeds: Vec<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    let documents: Vec<Value> = seeds.iter().filter_map(|seed| serde_json::from_slice(seed).ok()).collect();
    if documents.is_empty() {
        return mutated(seeds).boxed();
    }
    let change = (any::<Index>(), json_value(), any::<bool>());
    (select(documents), prop::collection::vec(change, 1..4))
        .prop_map(|(mut document, changes)| {
            for (at, value, remove) in changes {
                let mut left = at.index(size(&document));
                change_nth(&mut document, &mut left, &value, remove);
            }
            document.to_string().into_bytes()
        })
        .boxed()
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum::<usize>(),
        _ => 0,
    }
}

/// Replaces the value at a place in reading order, or takes it away. True once done.
fn change_nth(value: &mut Value, left: &mut usize, with: &Value, remove: bool) -> bool {
    if *left == 0 {
        *value = with.clone();
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => {
            if remove && *left < items.len() {
                items.remove(*left);
                return true;
            }
            items.iter_mut().any(|item| change_nth(item, left, with, remove))
        }
        Value::Object(members) => {
            if remove && *left < members.len() {
                let name = members.keys().nth(*left).cloned().unwrap_or_default();
                members.remove(&name);
                return true;
            }
            members.values_mut().any(|member| change_nth(member, left, with, remove))
        }
        _ => false,
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let odd = select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(0.5),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("a"),
        json!("null"),
        json!("9999-12-31T23:59:59.999999999Z"),
        json!("-009999-01-02T01:59:59Z"),
        json!("\u{1b}[31m\u{202e}"),
        json!("x".repeat(5000)),
        json!("a-0123456789abcdef"),
        json!([]),
        json!({}),
    ]);
    let leaf = prop_oneof![3 => odd, 1 => "\\PC{0,20}".prop_map(Value::from), 1 => any::<f64>().prop_map(Value::from)];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z._]{0,12}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

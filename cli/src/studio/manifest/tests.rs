//! A domain for tests, and what becomes of its manifest on the way through a file.

use serde_json::{Value, json};

use super::*;

pub(crate) fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub(crate) fn tags(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn arn(kind: &str, id: &str) -> Arn {
    Arn::new(&format!("arn:aws:sagemaker:eu-west-1:111122223333:{kind}/{id}")).unwrap()
}

pub(crate) fn profile(name: &str, uid: &str) -> Profile {
    Profile {
        name: Name::new(name).unwrap(),
        arn: arn("user-profile", &format!("d-old/{name}")),
        uid: Uid::new(uid),
        sso_user: None,
        settings: map(json!({"ExecutionRole": "arn:aws:iam::111122223333:role/analyst"})),
        tags: tags(&[("DomainName", "old"), ("studiouserid", name)]),
    }
}

pub(crate) fn space(name: &str, uid: &str, owner: &str) -> Space {
    Space {
        name: Name::new(name).unwrap(),
        arn: arn("space", &format!("d-old/{name}")),
        display_name: None,
        uid: Uid::new(uid),
        settings: map(json!({"AppType": "JupyterLab"})),
        ownership: map(json!({"OwnerUserProfileName": owner})),
        sharing: map(json!({"SharingType": "Private"})),
        tags: BTreeMap::new(),
    }
}

/// A small domain.
pub(crate) fn backup() -> Backup {
    Backup {
        taken: "2026-11-21T17:00:00Z".parse().unwrap(),
        domain: Domain {
            id: "d-old".into(),
            name: "old".into(),
            arn: arn("domain", "d-old"),
            auth_mode: "IAM".into(),
            vpc_id: Some("vpc-1".into()),
            subnet_ids: vec!["subnet-b".into(), "subnet-a".into()],
            kms_key_id: None,
            file_system: FileSystem::new("fs-0a"),
            settings: map(json!({"DefaultUserSettings": {"SecurityGroups": ["sg-old"]}})),
            tags: BTreeMap::new(),
        },
        profiles: vec![profile("ann", "200001"), profile("bob", "200002")],
        spaces: vec![space("lab", "200003", "ann")],
    }
}

/// Something done to a document.
type Change = Box<dyn FnOnce(&mut Value)>;

/// What a reader says of the document after a change that its writer has made too, checksum and all.
fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut document: Value = serde_json::from_str(&backup().document().unwrap().text).unwrap();
    change(&mut document);
    document["sha256"] = digest(&sorted(document["backup"].clone())).into();
    let error = parse("m.json", document.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.code.number(), 2);
    error.lines
}

#[test]
fn e4_a_manifest_comes_back_as_it_was_and_is_the_same_every_time() {
    let (backup, document) = (backup(), backup().document().unwrap());
    assert_eq!(parse("m.json", document.text.as_bytes()).unwrap(), backup);
    let mut shuffled = backup.clone();
    shuffled.profiles[0].settings = map(json!({"Z": {"b": 1, "a": 2}, "A": 1}));
    let mut other = backup.clone();
    other.profiles[0].settings = map(json!({"A": 1, "Z": {"a": 2, "b": 1}}));
    assert_eq!(shuffled.document().unwrap(), other.document().unwrap());
    // Written in other spaces by another program.
    let value: Value = serde_json::from_str(&document.text).unwrap();
    assert_eq!(parse("m.json", value.to_string().as_bytes()).unwrap(), backup);
}

#[test]
fn e4_a_manifest_that_was_changed_is_refused() {
    let text = backup().document().unwrap().text.replace("200001", "200009");
    let error = parse("m.json", text.as_bytes()).unwrap_err();
    assert_eq!(error.code.number(), 2);
    assert!(error.lines[0].starts_with("`m.json` is not as it was written: SHA-256 of `backup` is "), "{error:?}");
}

#[test]
fn e4_another_version_or_another_document_is_refused_before_anything_is_read() {
    let lines = after(|document| {
        document["version"] = json!(2);
        document["backup"] = json!("something new");
    });
    assert_eq!(lines, ["`m.json`: `version` is `2`: accepted is 1"]);
    let lines = after(|document| document["format"] = json!("other"));
    assert_eq!(lines, ["`m.json` is no manifest: its `format` is not `tidegate-studio-backup`"]);
    assert!(parse("m.json", b"{").unwrap_err().lines[0].starts_with("`m.json` is no JSON: "));
}

#[test]
fn e4_a_broken_manifest_is_refused_with_file_key_found_and_accepted() {
    let profile = "backup.profiles[1]";
    let cases: Vec<(Change, String)> = vec![
        (
            Box::new(|it| it["backup"]["profiles"][1]["uid"] = json!("0")),
            format!("`m.json`: `{profile}.uid` is `0`: accepted is {}", Uid::ACCEPTED),
        ),
        (
            Box::new(|it| it["backup"]["profiles"][1]["uid"] = json!(7)),
            format!("`m.json`: `{profile}.uid` is `7`: accepted is {}", Uid::ACCEPTED),
        ),
        (
            Box::new(|it| it["backup"]["profiles"][1]["uid"] = json!("+7")),
            format!("`m.json`: `{profile}.uid` is `+7`: accepted is {}", Uid::ACCEPTED),
        ),
        (
            Box::new(|it| it["backup"]["profiles"][1]["uid"] = json!("200001")),
            format!("`m.json`: `{profile}.uid` is `200001`: accepted is each number once"),
        ),
        (
            Box::new(|it| it["backup"]["profiles"][1]["name"] = json!("a'; rm -rf /")),
            format!("`m.json`: `{profile}.name` is `a'; rm -rf /`: accepted is {}", Name::ACCEPTED),
        ),
        (
            Box::new(|it| it["backup"]["profiles"][1]["name"] = json!("ANN")),
            format!("`m.json`: `{profile}.name` is `ANN`: accepted is each name once, upper or lower case"),
        ),
        (
            Box::new(|it| it["backup"]["domain"]["fileSystem"] = json!("fs-$(id)")),
            format!("`m.json`: `backup.domain.fileSystem` is `fs-$(id)`: accepted is {}", FileSystem::ACCEPTED),
        ),
        (
            Box::new(|it| it["backup"]["domain"]["authMode"] = json!("LDAP")),
            "`m.json`: `backup.domain.authMode` is `LDAP`: accepted is `IAM` or `SSO`".into(),
        ),
        (
            Box::new(|it| it["backup"]["spaces"] = json!({})),
            "`m.json`: `backup.spaces` is an object: accepted is a list".into(),
        ),
        (
            Box::new(|it| it["backup"]["taken"] = json!("yesterday")),
            "`m.json`: `backup.taken` is `yesterday`: accepted is a time such as `2026-11-21T17:00:00Z`".into(),
        ),
        (
            Box::new(|it| drop(it["backup"].as_object_mut().unwrap().remove("spaces"))),
            "`m.json`: `backup.spaces` is missing".into(),
        ),
        (
            Box::new(|it| it["backup"]["more"] = json!(1)),
            "`m.json`: `backup.more` is no known key: accepted are `taken`, `domain`, `profiles`, `spaces`".into(),
        ),
        (
            Box::new(|it| it["backup"]["profiles"][1]["tags"] = json!({"a": 1})),
            format!("`m.json`: `{profile}.tags.a` is `1`: accepted is a text"),
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(after(change), [expected]);
    }
}

#[test]
fn e4_ids_that_would_be_root_s_or_leave_a_file_as_it_is_are_none() {
    for (text, fine) in
        [("1", true), ("4294967294", true), ("0", false), ("4294967295", false), ("", false), ("-1", false)]
    {
        assert_eq!(Uid::new(text).is_some(), fine, "{text}");
    }
}

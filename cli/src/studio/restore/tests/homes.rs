//! The script: its words, and what it does to two folders that stand for the file systems.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::*;

/// Two file systems and the script, in a folder of their own.
struct Place {
    folder: PathBuf,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// In the place of rsync where none is installed: it writes down what it was told.
const STAND_IN: &str = "#!/usr/bin/env bash\nprintf '%s\\n' \"$@\" >> \"$(dirname \"$0\")/told\"\n";

fn script() -> String {
    let manifest = backup();
    let there = restored(&manifest);
    let plan = plan(&manifest, &there, &Wishes::default());
    let (homes, without) = script::homes(&manifest, &there, &plan);
    assert_eq!(without, [] as [&str; 0]);
    script::text(&manifest, &there, &homes).unwrap()
}

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tidegate-homes-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        // Ann's home, a link in it, something of root's; bob never had one.
        std::fs::create_dir_all(folder.join("old/200001/work")).unwrap();
        std::fs::create_dir_all(folder.join("new")).unwrap();
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        let place = Self { folder };
        place.write("old/200001/work/a file", "ours");
        place.write("old/200001/of-root", "root's");
        // What changes within a second is told by its size alone.
        let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
        let file = std::fs::File::options().write(true).open(place.folder.join("old/200001/work/a file")).unwrap();
        file.set_modified(yesterday).unwrap();
        symlink("/etc/passwd", place.folder.join("old/200001/link")).unwrap();
        script::write(&place.folder.join("copy.sh"), &script()).unwrap();
        place
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.folder.join(path), text).unwrap();
    }

    /// Gives the homes to their users, which only root can.
    fn give(&self) {
        for path in ["old/200001", "old/200001/work", "old/200001/work/a file"] {
            chown(self.folder.join(path), Some(200_001), Some(200_001)).unwrap();
        }
        chown(self.folder.join("old/200001/of-root"), Some(0), Some(100)).unwrap();
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.folder.join("bin").join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn stand_in(&self) {
        self.program("rsync", STAND_IN);
    }

    /// On the two folders.
    fn run(&self, options: &[&str]) -> (Output, String) {
        let (old, new) = (self.folder.join("old"), self.folder.join("new"));
        let mut all = vec!["--old-mounted", old.to_str().unwrap(), "--new-mounted", new.to_str().unwrap()];
        all.extend(options);
        self.run_unmounted(&all)
    }

    fn run_unmounted(&self, options: &[&str]) -> (Output, String) {
        let path = format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        let output = command.arg(self.folder.join("copy.sh")).env("PATH", path).args(options).output().unwrap();
        let told = String::from_utf8(output.stderr.clone()).unwrap();
        (output, told)
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn e4_the_script_is_valid_shell_and_strict() {
    let place = Place::new("valid");
    let path = place.folder.join("copy.sh");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let checked = Command::new("bash").arg("-n").arg(&path).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let text = script();
    assert!(text.contains("\nset -euo pipefail\n") && text.ends_with("\nmain \"$@\"\n"));
    for place in ["@HOMES@", "@OLD_FILE_SYSTEM@", "@NEW_FILE_SYSTEM@", "@OLD_DOMAIN@", "@NEW_DOMAIN@"] {
        assert!(!text.contains(place), "{place}");
    }
    assert!(text.contains("\nold_file_system='fs-0a'\nnew_file_system='fs-0b'\n"));
    assert!(text.contains("\n  home 'profile' 'ann' '200001' '300000'\n"));
    if has("shellcheck") {
        let checked = Command::new("shellcheck").arg(&path).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
}

#[test]
fn e4_a_domain_s_name_is_never_a_command() {
    let mut manifest = backup();
    manifest.domain.name = "x\n@HOMES@\ntouch /tmp/owned\n'; reboot; '".into();
    let there = restored(&manifest);
    let plan = plan(&manifest, &there, &Wishes::default());
    let (homes, _) = script::homes(&manifest, &there, &plan);
    let text = script::text(&manifest, &there, &homes).unwrap();
    let named: Vec<&str> = text.lines().filter(|line| line.contains("reboot") || line.contains("touch")).collect();
    assert_eq!(named, ["# From domain x @HOMES@ touch /tmp/owned '; reboot; ' (d-old) to domain new (d-new)."]);
}

#[test]
fn e4_without_a_file_system_or_a_home_there_is_no_script() {
    let mut manifest = backup();
    let there = restored(&manifest);
    assert_eq!(script::text(&manifest, &there, &[]), None);
    let homes = script::homes(&manifest, &there, &plan(&manifest, &there, &Wishes::default())).0;
    manifest.domain.file_system = None;
    assert_eq!(script::text(&manifest, &there, &homes), None);
}

#[test]
fn e4_profiles_that_have_no_id_yet_are_told() {
    let manifest = backup();
    let mut there = restored(&manifest);
    there.taken.backup.profiles[1].uid = None;
    let (homes, without) = script::homes(&manifest, &there, &plan(&manifest, &there, &Wishes::default()));
    assert_eq!(homes.iter().map(|home| home.name.as_str()).collect::<Vec<_>>(), ["ann", "lab"]);
    assert_eq!(without, ["profile `bob` has no user id in the new domain yet: the script leaves its home folder out"]);
}

#[test]
fn e4_a_script_replaces_one_of_its_kind_and_nothing_else() {
    let place = Place::new("replace");
    script::write(&place.folder.join("copy.sh"), &script()).unwrap();
    place.write("mine.sh", "#!/bin/sh\necho mine\n");
    let error = script::write(&place.folder.join("mine.sh"), &script()).unwrap_err();
    assert_eq!((error.code.number(), error.lines[0].contains("is no script of this program")), (2, true));
    assert_eq!(script::check(&place.folder.join("none/copy.sh")).unwrap_err().code.number(), 2);
}

#[test]
fn e4_only_root_copies_and_others_are_told_so() {
    let place = Place::new("root");
    place.stand_in();
    if is_root() {
        // As somebody else, where the test itself is root's.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&place.folder, open.clone()).unwrap();
        std::fs::set_permissions(place.folder.join("copy.sh"), open).unwrap();
        let mut command = Command::new("bash");
        std::os::unix::process::CommandExt::uid(&mut command, 65_534);
        let output = command.arg(place.folder.join("copy.sh")).current_dir("/").output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("only root"), "{output:?}");
    } else {
        let (output, told) = place.run(&[]);
        assert_eq!((output.status.code(), told.contains("only root")), (Some(2), true));
    }
}

#[test]
fn e4_rsync_is_told_the_owner_map_of_each_home_and_a_dry_run_is_one() {
    if !is_root() {
        return;
    }
    let place = Place::new("map");
    place.stand_in();
    let (output, told) = place.run(&["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "profile/ann: 200001 -> 300000",
            "profile/bob: nothing there under 200002",
            "space/lab: nothing there under 200003",
            "1 would be copied, 2 have nothing to copy, 0 cannot be"
        ]
    );
    let words = std::fs::read_to_string(place.folder.join("bin/told")).unwrap();
    let words: Vec<&str> = words.lines().collect();
    for word in ["--usermap=*:300000", "--groupmap=200001:300000", "--numeric-ids", "--dry-run", "--update"] {
        assert!(words.contains(&word), "{word}: {words:?}");
    }
    let folders =
        [place.folder.join("old/200001/"), place.folder.join("new/300000/")].map(|it| it.display().to_string());
    assert_eq!(words[words.len() - 3..], ["--", folders[0].as_str(), folders[1].as_str()]);
    assert!(!words.iter().any(|word| word.starts_with("--delete")));
}

/// Stand-ins for the programs that mount: a file system that has Ann's home, and one that goes away again.
const MOUNTS: [(&str, &str); 3] = [
    ("mount.efs", "#!/usr/bin/env bash\nexit 0\n"),
    ("mount", "#!/usr/bin/env bash\necho \"mount $*\" >> \"$(dirname \"$0\")/told\"\nmkdir \"${*: -1}/200001\"\n"),
    ("umount", "#!/usr/bin/env bash\necho \"umount $*\" >> \"$(dirname \"$0\")/told\"\nrm -r \"$2/200001\"\n"),
];

#[test]
fn e4_both_file_systems_are_mounted_with_tls_the_old_one_for_reading_only_and_unmounted_at_the_end() {
    if !is_root() {
        return;
    }
    let place = Place::new("mount");
    place.stand_in();
    for (name, text) in MOUNTS {
        place.program(name, text);
    }
    let (output, told) = place.run_unmounted(&["--old-mount-options", "mounttargetip=10.0.0.7"]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let words = std::fs::read_to_string(place.folder.join("bin/told")).unwrap();
    let mut points = words.lines().filter_map(|line| line.strip_prefix("umount -- "));
    let (old, new) = (points.next().unwrap(), points.next().unwrap());
    let lines: Vec<&str> = words.lines().filter(|line| line.starts_with("mount ")).collect();
    assert_eq!(
        lines,
        [
            format!("mount -t efs -o tls,ro,mounttargetip=10.0.0.7 -- fs-0a:/ {old}"),
            format!("mount -t efs -o tls -- fs-0b:/ {new}")
        ]
    );
    assert!(!Path::new(old).exists() && !Path::new(new).exists());
}

#[test]
fn e4_a_link_in_the_place_of_a_home_is_not_followed() {
    if !is_root() {
        return;
    }
    let place = Place::new("link");
    place.stand_in();
    std::fs::create_dir(place.folder.join("elsewhere")).unwrap();
    symlink(place.folder.join("elsewhere"), place.folder.join("new/300000")).unwrap();
    let (output, told) = place.run(&[]);
    assert_eq!((output.status.code(), told.contains("300000 is no folder")), (Some(1), true), "{told}");
    assert!(!place.folder.join("bin/told").exists());
}

#[test]
fn e4_wrong_options_are_refused_before_anything_is_read() {
    let place = Place::new("options");
    for options in [&["--delete"][..], &["--only"], &["--old-mounted", "/"], &["--new-mounted", "/nowhere"]] {
        let (output, told) = place.run(options);
        assert_eq!(output.status.code(), Some(2), "{options:?} {told}");
    }
}

/// With the real rsync, as root: who owns what afterwards, and what a second run does.
#[test]
fn e4_homes_are_copied_with_their_new_owners_and_again_nothing_changes() {
    if !(is_root() && has("rsync")) {
        return;
    }
    let place = Place::new("copy");
    place.give();
    let new = |path: &str| place.folder.join("new/300000").join(path);
    let owner = |path: &Path| {
        let found = std::fs::symlink_metadata(path).unwrap();
        (found.uid(), found.gid())
    };
    let (output, told) = place.run(&["--dry-run"]);
    assert_eq!((output.status.code(), new("").exists()), (Some(0), false), "{told}");
    let (output, told) = place.run(&["--verify"]);
    assert_eq!(output.status.code(), Some(1), "{told}");

    let (output, told) = place.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(std::fs::read_to_string(new("work/a file")).unwrap(), "ours");
    for path in ["", "work", "work/a file"] {
        assert_eq!(owner(&new(path)), (300_000, 300_000), "{path}");
    }
    // Everything in a home is its user's; a group that is nobody's number stays.
    assert_eq!(owner(&new("of-root")), (300_000, 100));
    assert_eq!(
        (owner(&new("link")).0, std::fs::read_link(new("link")).unwrap()),
        (300_000, PathBuf::from("/etc/passwd"))
    );
    assert_eq!(owner(Path::new("/etc/passwd")).0, 0);

    // Ann goes on working; what she has done stays.
    place.write("new/300000/work/newer", "hers");
    place.write("new/300000/work/a file", "changed since");
    let (output, told) = place.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(std::fs::read_to_string(new("work/a file")).unwrap(), "changed since");
    assert!(new("work/newer").exists());
    let (output, told) = place.run(&["--verify"]);
    assert_eq!((output.status.code(), told.contains("profile/ann: differs")), (Some(1), true), "{told}");
    let (output, told) = place.run(&["--verify", "--only", "profile/bob"]);
    assert_eq!(
        (output.status.code(), told.trim()),
        (Some(0), "profile/bob: nothing there under 200002\n0 are equal, 1 have nothing to compare, 0 differ")
    );
}

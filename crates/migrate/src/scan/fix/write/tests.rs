//! Tests of writing, in a folder of their own.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn change(path: &str, before: &str, after: &str) -> Plan {
    let change = Change { path: path.into(), before: before.into(), after: after.into(), titles: Vec::new() };
    Plan { changes: vec![change], left: Vec::new() }
}

#[test]
fn a_file_is_replaced_with_its_permissions_and_nothing_is_left_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk { root: folder.path().to_owned() };
    let path = folder.path().join("run.sh");
    fs::write(&path, "old\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o751)).unwrap();
    let written = write(&change("run.sh", "old\n", "new\n"), &disk);
    assert_eq!(written, Written { paths: vec!["run.sh".into()], left: Vec::new() });
    assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o751);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_changed_or_went_since_it_was_read_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk { root: folder.path().to_owned() };
    fs::write(folder.path().join("a.py"), "edited meanwhile").unwrap();
    let written = write(&change("a.py", "as it was read", "new"), &disk);
    assert!(written.left[0].reason.contains("has changed since it was read"), "{written:?}");
    assert_eq!(fs::read_to_string(folder.path().join("a.py")).unwrap(), "edited meanwhile");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the new text is removed again");
    assert_eq!(write(&change("gone.py", "x", "y"), &disk).left.len(), 1);
}

#[test]
fn a_link_stays_a_link_and_what_may_not_be_written_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk { root: folder.path().to_owned() };
    fs::write(folder.path().join("real.py"), "old").unwrap();
    symlink("real.py", folder.path().join("link.py")).unwrap();
    assert_eq!(write(&change("link.py", "old", "new"), &disk).paths, ["link.py"]);
    assert!(fs::symlink_metadata(folder.path().join("link.py")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(folder.path().join("real.py")).unwrap(), "new");
    fs::set_permissions(folder.path().join("real.py"), fs::Permissions::from_mode(0o444)).unwrap();
    assert!(write(&change("real.py", "new", "x"), &disk).left[0].reason.contains("may not be written"));
}

//! `envlock solve`: from environment.yml to the lock.

use envlock_testkit::{Subdir, World};

use crate::support::Lab;

const SMALL: &str = "channels: [conda-forge]\ndependencies:\n  - app\n";

fn small() -> World {
    World::new().channel("conda-forge", |c| {
        c.pkg("app 1.0 | lib >=1");
        c.pkg("lib 1.2");
        c.pkg_for(Subdir::OsxArm64, "app 1.0 | lib >=1");
        c.pkg_for(Subdir::OsxArm64, "lib 1.2");
    })
}

#[test]
fn a_first_solve_writes_the_lock_and_says_what_comes_next() {
    let lab = Lab::new(small(), SMALL);
    insta::assert_snapshot!(lab.shown(&lab.solve(&[])), @"
    -- stdout
    linux-64  2 packages  1.9 kB to download at most
    wrote envlock.lock; next: envlock install
    -- stderr
        index  2 indexes, 489 B fetched
        solve  2 packages
    -- exit 0
    ");
    assert_eq!(lab.locked("linux-64"), ["app-1.0-0", "lib-1.2-0"]);
}

#[test]
fn a_second_solve_changes_no_byte() {
    let lab = Lab::solved(small(), SMALL);
    let before = lab.lock();
    insta::assert_snapshot!(lab.shown(&lab.solve(&["--quiet"])), @"
    -- stdout
    linux-64  2 packages  1.9 kB to download at most
    envlock.lock is up to date
    -- exit 0
    ");
    assert_eq!(lab.lock(), before);
}

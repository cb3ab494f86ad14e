//! Each target on a bounded number of cases.

use std::time::Duration;

use fuzz::TARGETS;
use fuzz::driver::{self, Bound};

/// Enough to reach every part of a target; the time bounds a slow host, not the result.
const BOUND: Bound = Bound { time: Duration::from_secs(30), cases: 4000, instructions: u64::MAX };

fn short(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    (target.examples)().iter().for_each(|example| (target.run)(example));
    match driver::run(target, 1, 0, BOUND) {
        Ok(cases) => println!("{name}: {cases} cases"),
        Err(failure) => panic!("{name}: case {} of seed 1 failed", failure.case),
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            short(stringify!($name));
        })*

        #[test]
        fn every_target_is_run() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

targets! { client decoder disk elf engines fdt hash hostile hypercalls instructions patcher pci rewriting rtas scm }

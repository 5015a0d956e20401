//! The binary as the compiler of policies: its limits hold with the allocator that it ships with.

use anteroom_policy::{Compiler, HostConfig, PolicyHost, Refusal, Step};
use anteroom_test_support::uploads::{self, BOMB_CPU_SECONDS, BOMB_MEMORY_BYTES};

fn compiler() -> Compiler {
    Compiler::new(env!("CARGO_BIN_EXE_anteroom"), &["compile-policy"])
}

fn judge(compiler: Compiler, bytes: &[u8]) -> (Option<Step>, Result<(), Refusal>) {
    let compiler = Some(compiler);
    let host = PolicyHost::new(HostConfig { compiler, global_concurrency: 1, ..HostConfig::new([7; 32]) });
    let mut last = None;
    let judged = host.expect("a policy host").judge(bytes, &mut |step| last = Some(step));
    (last, judged.map(drop))
}

#[test]
fn the_binary_compiles_within_its_defaults() {
    for upload in uploads::harmless() {
        let (step, judged) = judge(compiler(), &upload.bytes);
        assert_eq!((step, judged), (Some(Step::Probe), Ok(())), "{}", upload.name);
    }
}

#[test]
fn compile_bombs_end_with_their_process() {
    let limited = Compiler { cpu_seconds: BOMB_CPU_SECONDS, memory_bytes: BOMB_MEMORY_BYTES, ..compiler() };
    let bombs: Vec<_> =
        uploads::hostile().into_iter().filter(|upload| upload.code.starts_with("compile_")).collect();
    assert!(bombs.len() >= 3);
    for upload in bombs {
        let refusal = judge(limited.clone(), &upload.bytes).1.expect_err(upload.name);
        assert_eq!(refusal.code, upload.code, "{}: {refusal}", upload.name);
    }
}

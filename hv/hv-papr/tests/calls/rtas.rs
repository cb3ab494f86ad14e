//! Services as a table: what each form answers to what it is given, on one vCPU and on several, in both byte orders.

use guest_mem::Order;
use hv_core::{Halt, Next};
use papr_abi::hcall::H_RTAS;
use papr_abi::rtas::{
    CALLS, CHANGE_MSI, CHANGE_MSI_SHORT, CHECK_EXCEPTION, Call, DISPLAY_CHARACTER, EVENT_SCAN, GET_TIME_OF_DAY,
    HARDWARE, MAX_CELLS, OS_TERM, PARAMETER, POWER_OFF, QUERY_CPU_STOPPED_STATE, QUERY_INTERRUPT_SOURCE_NUMBER,
    READ_PCI_CONFIG, SET_TIME_OF_DAY, START_CPU, SUCCESS, SYSTEM_REBOOT, WRITE_PCI_CONFIG,
};
use papr_abi::status::H_PARAMETER;
use ppc_isa::msr;

use crate::stage::{BRIDGE, MESSAGE, RAM, Stage};

const HIGH: u32 = (BRIDGE >> 32) as u32;
const LOW: u32 = BRIDGE as u32;
/// Register 0x10 of the only function there is.
const BAR: u32 = 2 << 16 | 3 << 8 | 0x10;

/// Stages of every kind.
fn stages() -> impl Iterator<Item = Stage> {
    [(1, 0), (1, msr::LE), (8, 0), (8, msr::LE)].into_iter().map(|(cpus, order)| {
        let mut stage = Stage::several(cpus);
        stage.vcpu.set_msr(stage.vcpu.shared.msr() | order);
        stage
    })
}

#[test]
fn case_38_unknown_tokens() {
    for mut stage in stages() {
        for token in [0, 1, 0x0a, 0x1fff, 0x2fff, 0x2020, 0x2025, u32::MAX] {
            for (inputs, outputs) in [(0, 1), (1, 1), (5, 11)] {
                let form = Call { name: "unknown", token, inputs, outputs };
                let (status, _, next) = stage.service(form, &vec![0; inputs as usize]);
                assert_eq!((status, next), (PARAMETER, Next::Run), "{token:#x} {inputs} {outputs}");
            }
        }
    }
}

#[test]
fn case_39_wrong_counts() {
    for mut stage in stages() {
        for form in CALLS {
            for (inputs, outputs) in [(form.inputs + 1, form.outputs), (form.inputs, form.outputs + 1)] {
                let wrong = Call { inputs, outputs, ..*form };
                if CALLS.contains(&wrong) || outputs == 0 || inputs + outputs > MAX_CELLS {
                    continue;
                }
                let (status, _, next) = stage.service(wrong, &vec![0; inputs as usize]);
                assert_eq!((status, next), (PARAMETER, Next::Run), "{} {inputs} {outputs}", form.name);
            }
        }
        // More cells than there can be: nothing is written, the call itself says so.
        for counts in [[17, 0], [0, 17], [8, 9], [u32::MAX, 1], [1, u32::MAX]] {
            for (at, cell) in (0x3000..).step_by(4).zip([POWER_OFF.token, counts[0], counts[1]]) {
                stage.mem.store(at, Order::Big, cell);
            }
            assert_eq!(stage.answer(H_RTAS, &[0x3000]), (H_PARAMETER, Next::Run), "{counts:?}");
        }
        // Without outputs there is no room for a status, and that is all.
        assert_eq!(stage.answer(H_RTAS, &[RAM - 12]), (0, Next::Run));
    }
}

#[test]
fn cases_40_to_45_what_each_answers() {
    #[rustfmt::skip]
    let cases: &[(Call, &[u32], i32, &[u32])] = &[
        // 40: nobody there, and no such bridge, register or width.
        (READ_PCI_CONFIG,  &[0, HIGH, LOW, 4],                  SUCCESS,   &[u32::MAX]),
        (READ_PCI_CONFIG,  &[0, HIGH, LOW, 2],                  SUCCESS,   &[0xffff]),
        (READ_PCI_CONFIG,  &[0, HIGH, LOW, 1],                  SUCCESS,   &[0xff]),
        (READ_PCI_CONFIG,  &[0, HIGH, LOW + 1, 4],              PARAMETER, &[0]),
        (READ_PCI_CONFIG,  &[0, 0, LOW, 4],                     PARAMETER, &[0]),
        (READ_PCI_CONFIG,  &[2, HIGH, LOW, 4],                  PARAMETER, &[0]),
        (READ_PCI_CONFIG,  &[0, HIGH, LOW, 3],                  PARAMETER, &[0]),
        (READ_PCI_CONFIG,  &[0, HIGH, LOW, 0],                  PARAMETER, &[0]),
        (WRITE_PCI_CONFIG, &[0, HIGH, LOW, 4, 7],               SUCCESS,   &[]),
        (WRITE_PCI_CONFIG, &[1, HIGH, LOW, 2, 7],               PARAMETER, &[]),
        // 41: a base address register says its size.
        (WRITE_PCI_CONFIG, &[BAR, HIGH, LOW, 4, u32::MAX],      SUCCESS,   &[]),
        (READ_PCI_CONFIG,  &[BAR, HIGH, LOW, 4],                SUCCESS,   &[0xffff_f000]),
        (WRITE_PCI_CONFIG, &[BAR, HIGH, LOW, 4, 0x8000_0000],   SUCCESS,   &[]),
        (READ_PCI_CONFIG,  &[BAR, HIGH, LOW, 4],                SUCCESS,   &[0x8000_0000]),
        // 42, 43: four in a row, as edges; no source before.
        (QUERY_INTERRUPT_SOURCE_NUMBER, &[BAR, HIGH, LOW, 0],   HARDWARE,  &[0, 0]),
        (CHANGE_MSI,       &[BAR, HIGH, LOW, 4, 4, 0],          SUCCESS,   &[4, 1, 2]),
        (QUERY_INTERRUPT_SOURCE_NUMBER, &[BAR, HIGH, LOW, 3],   SUCCESS,   &[MESSAGE + 3, 1]),
        (CHANGE_MSI_SHORT, &[BAR, HIGH, LOW, 1, 0, 0],          SUCCESS,   &[0, 1]),
        (QUERY_INTERRUPT_SOURCE_NUMBER, &[BAR, HIGH, LOW, 0],   HARDWARE,  &[0, 0]),
        // 44: the stage's clock stands at its beginning.
        (GET_TIME_OF_DAY,  &[],                                 SUCCESS,   &[1970, 1, 1, 0, 0, 0, 0]),
        (SET_TIME_OF_DAY,  &[2024, 2, 29, 23, 59, 59, 0],       SUCCESS,   &[]),
        (SET_TIME_OF_DAY,  &[2024, 13, 1, 0, 0, 0, 0],          PARAMETER, &[]),
        (SET_TIME_OF_DAY,  &[2024, 0, 1, 0, 0, 0, 0],           PARAMETER, &[]),
        (SET_TIME_OF_DAY,  &[2024, 1, 32, 0, 0, 0, 0],          PARAMETER, &[]),
        (SET_TIME_OF_DAY,  &[2024, 1, 1, 24, 0, 0, 0],          PARAMETER, &[]),
        (SET_TIME_OF_DAY,  &[2024, 1, 1, 0, 60, 0, 0],          PARAMETER, &[]),
        (SET_TIME_OF_DAY,  &[2024, 1, 1, 0, 0, 60, 0],          PARAMETER, &[]),
        (SET_TIME_OF_DAY,  &[1969, 1, 1, 0, 0, 0, 0],           PARAMETER, &[]),
        (SET_TIME_OF_DAY,  &[u32::MAX; 7],                      PARAMETER, &[]),
        // 45: nothing has happened.
        (EVENT_SCAN,       &[u32::MAX, 0, 0x1000, 2048],        1,         &[]),
        (EVENT_SCAN,       &[0, 0, RAM as u32, u32::MAX],       1,         &[]),
        (CHECK_EXCEPTION,  &[0x500, 0x1000, 1, 0, 0x1000, 64],  1,         &[]),
        (DISPLAY_CHARACTER, &[0x41],                            SUCCESS,   &[]),
        (QUERY_CPU_STOPPED_STATE, &[0],                         SUCCESS,   &[2]),
        (QUERY_CPU_STOPPED_STATE, &[8],                         PARAMETER, &[0]),
        (START_CPU,        &[0, 0x4000, 0],                     HARDWARE,  &[]),
        (START_CPU,        &[8, 0x4000, 0],                     PARAMETER, &[]),
    ];
    for mut stage in stages() {
        for (form, inputs, status, outputs) in cases {
            let expected = (*status, outputs.to_vec(), Next::Run);
            assert_eq!(stage.service(*form, inputs), expected, "{} {inputs:x?}", form.name);
        }
    }
}

#[test]
fn what_ends_the_machine() {
    for mut stage in stages() {
        assert_eq!(stage.service(POWER_OFF, &[u32::MAX; 2]).2, Next::Halt(Halt::PowerOff));
        assert_eq!(stage.service(SYSTEM_REBOOT, &[]).2, Next::Halt(Halt::Reset));
        for words in [0x1000, RAM as u32 - 1, RAM as u32, u32::MAX] {
            assert!(matches!(stage.service(OS_TERM, &[words]).2, Next::Halt(Halt::Panic(_))), "{words:#x}");
        }
    }
}

/// 46: a call as the entry code makes it, big-endian and in 32-bit mode, gives everything but r3 back.
#[test]
fn case_46_thirty_two_bit_callers_keep_their_registers() {
    let stage = &mut Stage::new();
    stage.vcpu.set_msr(msr::ME | msr::RI);
    stage.vcpu.state.gpr.iter_mut().zip(1_u64..).for_each(|(register, n)| *register = n << 32 | n);
    stage.vcpu.state.cia = 0x0fff_fffc;
    let before = stage.vcpu.state.gpr;
    assert_eq!(stage.service(EVENT_SCAN, &[0; 4]).0, 1);
    let after = stage.vcpu.state.gpr;
    assert_eq!((&before[..3], &before[13..]), (&after[..3], &after[13..]));
    assert_eq!((stage.vcpu.state.cia, stage.vcpu.shared.msr()), (0x1000_0000, msr::ME | msr::RI));
}

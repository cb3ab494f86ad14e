//! ePAPR's hypercalls (ePAPR 1.1, chapter 7), and those of Freescale's hypervisor on the state of cores.
//!
//! A call whose port is absent is not implemented. A handle or interrupt number that names nothing is an invalid
//! argument.

use hv_core::Visit;
use pv_abi::epapr;

use crate::answer::{Checked, Parameters};

mod channel;
mod core;
mod interrupt;
pub mod ports;

pub use ports::Ports;

pub(crate) type Handler = fn(&Ports, &mut Visit, &Parameters) -> Checked;

/// One implemented call.
pub(crate) struct Call {
    token: u32,
    pub(crate) name: &'static str,
    pub(crate) handler: Handler,
}

#[rustfmt::skip]
const CALLS: &[Call] = &[
    Call { token: epapr::BYTE_CHANNEL_SEND,     name: "EV_BYTE_CHANNEL_SEND",     handler: channel::send },
    Call { token: epapr::BYTE_CHANNEL_RECEIVE,  name: "EV_BYTE_CHANNEL_RECEIVE",  handler: channel::receive },
    Call { token: epapr::BYTE_CHANNEL_POLL,     name: "EV_BYTE_CHANNEL_POLL",     handler: channel::poll },
    Call { token: epapr::INT_SET_CONFIG,        name: "EV_INT_SET_CONFIG",        handler: interrupt::set_config },
    Call { token: epapr::INT_GET_CONFIG,        name: "EV_INT_GET_CONFIG",        handler: interrupt::get_config },
    Call { token: epapr::INT_SET_MASK,          name: "EV_INT_SET_MASK",          handler: interrupt::set_mask },
    Call { token: epapr::INT_GET_MASK,          name: "EV_INT_GET_MASK",          handler: interrupt::get_mask },
    Call { token: epapr::INT_IACK,              name: "EV_INT_IACK",              handler: interrupt::acknowledge },
    Call { token: epapr::INT_EOI,               name: "EV_INT_EOI",               handler: interrupt::end },
    Call { token: epapr::INT_SEND_IPI,          name: "EV_INT_SEND_IPI",          handler: interrupt::send_ipi },
    Call { token: epapr::INT_SET_TASK_PRIORITY, name: "EV_INT_SET_TASK_PRIORITY", handler: interrupt::set_priority },
    Call { token: epapr::INT_GET_TASK_PRIORITY, name: "EV_INT_GET_TASK_PRIORITY", handler: interrupt::get_priority },
    Call { token: epapr::DOORBELL_SEND,         name: "EV_DOORBELL_SEND",         handler: interrupt::ring },
    Call { token: epapr::MSGSND,                name: "EV_MSGSND",                handler: interrupt::send_message },
    Call { token: epapr::IDLE,                  name: "EV_IDLE",                  handler: core::idle },
    Call { token: epapr::GET_CORE_STATE,        name: "FH_GET_CORE_STATE",        handler: core::state },
    Call { token: epapr::ENTER_NAP,             name: "FH_ENTER_NAP",             handler: core::enter_nap },
    Call { token: epapr::EXIT_NAP,              name: "FH_EXIT_NAP",              handler: core::exit_nap },
];

pub(crate) fn find(token: u32) -> Option<&'static Call> {
    CALLS.iter().find(|call| call.token == token)
}

#[cfg(test)]
mod tests;

//! H_GET_TERM_CHAR and H_PUT_TERM_CHAR (PAPR 16.5): characters packed most significant byte first.

use hv_core::{Next, Visit};
use papr_abi::hcall;
use papr_abi::status::{H_BUSY, H_PARAMETER};

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_GET_TERM_CHAR, handler: get_term_char },
    Call { number: hcall::H_PUT_TERM_CHAR, handler: put_term_char },
];

/// Two registers of characters.
const MAX: usize = 16;

fn put_term_char(papr: &Papr, _: &mut Visit, &[unit, len, high, low, ..]: &Arguments) -> Checked {
    if !papr.ports.console.has_unit(unit) {
        return Err(H_PARAMETER);
    }
    let data = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    let data = usize::try_from(len).ok().and_then(|len| data.get(..len)).ok_or(H_PARAMETER)?;
    if papr.ports.console.put(data) {
        return Ok(Answer::ok());
    }
    // Who writes it may need this processor.
    Ok(Answer::status(H_BUSY).then(Next::Yield))
}

fn get_term_char(papr: &Papr, _: &mut Visit, &[unit, ..]: &Arguments) -> Checked {
    if !papr.ports.console.has_unit(unit) {
        return Err(H_PARAMETER);
    }
    let mut data = [0; MAX];
    let mut len = papr.ports.console.get(&mut data).min(MAX);
    // Guests take NUL after CR for line padding: it must not stand in the same answer.
    let nul_after_cr = |pair: &[u8]| pair == b"\r\0";
    while let Some(at) = data.get(..len).and_then(|d| d.windows(2).position(nul_after_cr)) {
        data.copy_within(at + 2.., at + 1);
        len -= 1;
    }
    for byte in data.iter_mut().skip(len) {
        *byte = 0;
    }
    let packed = u128::from_be_bytes(data);
    Ok(Answer::outputs([len as u64, (packed >> 64) as u64, packed as u64]))
}

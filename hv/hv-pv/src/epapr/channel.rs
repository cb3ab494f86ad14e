//! Byte channels (ePAPR 1.1, section 7.5). Sixteen bytes travel in r5 to r8, four in each, most significant first.

use hv_core::Visit;
use pv_abi::epapr::{CHANNEL_BYTES, Status};

use super::ports::{ByteChannels, Ports};
use crate::answer::{Answer, Checked, Outputs, Parameters};

const WORD: usize = 4;

fn channels(ports: &Ports) -> Result<&dyn ByteChannels, Status> {
    ports.channels.as_deref().ok_or(Status::Unimplemented)
}

pub(super) fn send(ports: &Ports, _: &mut Visit, &[handle, count, words @ ..]: &Parameters) -> Checked {
    let mut data = [0; CHANNEL_BYTES];
    for (bytes, word) in data.chunks_exact_mut(WORD).zip(words) {
        bytes.copy_from_slice(&(word as u32).to_be_bytes());
    }
    let data = usize::try_from(count).ok().and_then(|count| data.get(..count)).ok_or(Status::Invalid)?;
    match channels(ports)?.send(handle as u32, data).ok_or(Status::Invalid)? {
        0 if !data.is_empty() => Err(Status::Again),
        sent => Ok(Answer::outputs([sent as u64])),
    }
}

pub(super) fn receive(ports: &Ports, _: &mut Visit, &[handle, wanted, ..]: &Parameters) -> Checked {
    let mut data = [0; CHANNEL_BYTES];
    let wanted = usize::try_from(wanted).unwrap_or(CHANNEL_BYTES).min(CHANNEL_BYTES);
    let out = data.get_mut(..wanted).unwrap_or_default();
    let count = channels(ports)?.receive(handle as u32, out).ok_or(Status::Invalid)?;
    let words = data.as_chunks::<WORD>().0.iter().map(|&bytes| u64::from(u32::from_be_bytes(bytes)));
    Ok(Answer::outputs([count as u64].into_iter().chain(words).collect::<Outputs>()))
}

pub(super) fn poll(ports: &Ports, _: &mut Visit, &[handle, ..]: &Parameters) -> Checked {
    let (arrived, room) = channels(ports)?.poll(handle as u32).ok_or(Status::Invalid)?;
    Ok(Answer::outputs([arrived as u64, room as u64]))
}

//! The other end of the console: keeps what the guest prints, and answers it.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use machine::Controls;

/// One exchange: when the guest has printed `expect`, type `answer`.
#[derive(Clone, Debug)]
pub struct Line {
    /// Text to wait for, behind what the line before it waited for.
    pub expect: String,
    /// What is typed then.
    pub answer: Answer,
}

/// What is typed.
#[derive(Clone)]
pub enum Answer {
    /// This text.
    Text(String),
    /// What comes of something that is done with the machine, while the guest runs on.
    Deed(Arc<Deed>),
}

/// Something to be done with a machine.
pub type Deed = dyn Fn(&Controls) -> String + Send + Sync;

impl Answer {
    /// Types it.
    fn give(self, controls: Controls) {
        match self {
            Answer::Text(text) => _ = controls.type_in(text.as_bytes()),
            // The guest waits for its console now, and may have to do its part.
            Answer::Deed(deed) => _ = thread::spawn(move || controls.type_in(deed(&controls).as_bytes())),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Answer::Deed(_) => f.debug_tuple("Deed").finish_non_exhaustive(),
        }
    }
}

/// What a dialogue has come to.
#[derive(Debug, Default)]
struct State {
    lines: Vec<Line>,
    /// Lines already answered.
    done: usize,
    printed: Vec<u8>,
    /// Where the text that the next line waits for may begin.
    from: usize,
}

/// A dialogue; clones are the same one.
#[derive(Clone, Default)]
pub struct Dialogue {
    state: Arc<Mutex<State>>,
    controls: Arc<OnceLock<Controls>>,
}

impl Dialogue {
    /// A dialogue that follows `lines`.
    pub fn new(lines: Vec<Line>) -> Dialogue {
        let state = State { lines, ..State::default() };
        Dialogue { state: Arc::new(Mutex::new(state)), controls: Arc::default() }
    }

    /// Names the machine to type at.
    pub fn attach(&self, controls: Controls) {
        let _ = self.controls.set(controls);
    }

    /// What was printed so far.
    pub fn text(&self) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&state.printed).into_owned()
    }

    /// The first line that was not answered.
    pub fn waiting_for(&self) -> Option<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lines.get(state.done).map(|line| line.expect.clone())
    }
}

impl State {
    /// The answer to what is printed by now, if the next line's text is in it.
    fn answer(&mut self) -> Option<Answer> {
        let line = self.lines.get(self.done)?;
        let wanted = line.expect.as_bytes();
        let at = self.printed[self.from..].windows(wanted.len()).position(|window| window == wanted)?;
        self.from += at + wanted.len();
        self.done += 1;
        Some(line.answer.clone())
    }
}

impl Write for Dialogue {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.printed.extend(data);
        while let Some(answer) = state.answer() {
            if let Some(controls) = self.controls.get() {
                answer.give(controls.clone());
            }
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_in_order_and_across_writes() {
        let line = |expect: &str| Line { expect: expect.into(), answer: Answer::Text(String::new()) };
        let mut dialogue = Dialogue::new(vec![line("one"), line("two"), line("one")]);
        dialogue.write_all(b"two o").unwrap();
        assert_eq!(dialogue.waiting_for().as_deref(), Some("one"));
        dialogue.write_all(b"ne tw").unwrap();
        assert_eq!(dialogue.waiting_for().as_deref(), Some("two"));
        dialogue.write_all(b"o on").unwrap();
        assert_eq!(dialogue.waiting_for().as_deref(), Some("one"));
        dialogue.write_all(b"e").unwrap();
        assert_eq!(dialogue.waiting_for(), None);
        assert_eq!(dialogue.text(), "two one two one");
    }
}

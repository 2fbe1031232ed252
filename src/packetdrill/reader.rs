//! Goes through the words of a script.

use std::ops::Range;

use super::Mistake;
use super::token::{Token, tokens};

/// Where in a script the reading is.
pub(super) struct Reader<'s> {
    text: &'s str,
    tokens: Vec<(Token<'s>, Range<usize>)>,
    at: usize,
}

impl<'s> Reader<'s> {
    pub(super) fn new(text: &'s str) -> Result<Reader<'s>, Mistake> {
        Ok(Reader { text, tokens: tokens(text)?, at: 0 })
    }

    pub(super) fn peek(&self) -> Option<Token<'s>> {
        self.tokens.get(self.at).map(|(token, _)| *token)
    }

    pub(super) fn next(&mut self) -> Option<Token<'s>> {
        let token = self.peek();
        // Beyond the end, too: what is expected then is missing there.
        self.at += 1;
        token
    }

    /// How many words have been read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The line of a word, from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        let offset = self.tokens.get(at).map_or(self.text.len(), |(_, place)| place.start);
        line(self.text, offset)
    }

    /// What has been read since a word, as it is written, in one line.
    pub(super) fn text_since(&self, from: usize) -> String {
        let words = &self.tokens[from..self.at.min(self.tokens.len())];
        let (Some((_, first)), Some((_, last))) = (words.first(), words.last()) else { return String::new() };
        self.text[first.start..last.end].split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Takes the mark, if it is next.
    pub(super) fn takes(&mut self, mark: char) -> bool {
        self.takes_token(Token::Mark(mark))
    }

    pub(super) fn takes_token(&mut self, token: Token<'_>) -> bool {
        let is_next = self.peek() == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes the word, if it is next.
    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        self.takes_token(Token::Word(word))
    }

    pub(super) fn expect(&mut self, mark: char) -> Result<(), Mistake> {
        if self.takes(mark) {
            return Ok(());
        }
        self.at += 1;
        Err(self.unexpected(&format!("`{mark}`")))
    }

    pub(super) fn word(&mut self) -> Result<&'s str, Mistake> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(self.unexpected("a word")),
        }
    }

    pub(super) fn number(&mut self) -> Result<i64, Mistake> {
        match self.next() {
            Some(Token::Number(number)) => Ok(number),
            _ => Err(self.unexpected("a number")),
        }
    }

    /// A number of this width.
    pub(super) fn sized<T: TryFrom<i64>>(&mut self, what: &str) -> Result<T, Mistake> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| self.mistake(format!("{number} is too large for {what}")))
    }

    /// A mistake in the word read last.
    pub(super) fn mistake(&self, what: String) -> Mistake {
        Mistake { line: self.line_of(self.at.saturating_sub(1)), what }
    }

    /// Another word than the one read last was expected.
    pub(super) fn unexpected(&self, expected: &str) -> Mistake {
        let got = match self.tokens.get(self.at.wrapping_sub(1)) {
            Some((_, place)) => format!("`{}`", &self.text[place.clone()]),
            None => "the end of the file".to_owned(),
        };
        self.mistake(format!("expected {expected}, got {got}"))
    }
}

/// The line of a place in a text, from 1.
pub(super) fn line(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}

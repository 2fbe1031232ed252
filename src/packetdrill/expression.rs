//! What stands between a call's parentheses.

use super::Mistake;
use super::reader::Reader;
use super::token::Token;

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression<'s> {
    /// `...`
    Any,
    Number(i64),
    Word(&'s str),
    Text(&'s str),
    /// `A|B`
    Either(Vec<Expression<'s>>),
    /// `[a, b]`
    List(Vec<Expression<'s>>),
    /// `{a=1, b=2}`
    Struct(Vec<(&'s str, Expression<'s>)>),
}

impl<'s> Expression<'s> {
    /// Reads one.
    pub(super) fn read(reader: &mut Reader<'s>) -> Result<Expression<'s>, Mistake> {
        let first = Expression::read_one(reader)?;
        if !reader.takes('|') {
            return Ok(first);
        }
        let mut all = vec![first, Expression::read_one(reader)?];
        while reader.takes('|') {
            all.push(Expression::read_one(reader)?);
        }
        Ok(Expression::Either(all))
    }

    /// Reads several, with commas between, up to a mark.
    pub(super) fn read_list(reader: &mut Reader<'s>, end: char) -> Result<Vec<Expression<'s>>, Mistake> {
        let mut all = Vec::new();
        if reader.takes(end) {
            return Ok(all);
        }
        loop {
            all.push(Expression::read(reader)?);
            if !reader.takes(',') {
                reader.expect(end)?;
                return Ok(all);
            }
        }
    }

    fn read_one(reader: &mut Reader<'s>) -> Result<Expression<'s>, Mistake> {
        match reader.next() {
            Some(Token::Ellipsis) => Ok(Expression::Any),
            Some(Token::Number(number)) => Ok(Expression::Number(number)),
            Some(Token::Mark('-')) => Ok(Expression::Number(-reader.number()?)),
            Some(Token::Word(word)) => Ok(Expression::Word(word)),
            Some(Token::Text(text)) => {
                // A text of which only the start is said.
                reader.takes_token(Token::Ellipsis);
                Ok(Expression::Text(text))
            }
            Some(Token::Mark('[')) => Ok(Expression::List(Expression::read_list(reader, ']')?)),
            Some(Token::Mark('{')) => Ok(Expression::Struct(Expression::read_fields(reader)?)),
            _ => Err(reader.unexpected("an argument")),
        }
    }

    fn read_fields(reader: &mut Reader<'s>) -> Result<Vec<(&'s str, Expression<'s>)>, Mistake> {
        let mut fields = Vec::new();
        loop {
            let name = reader.word()?;
            reader.expect('=')?;
            fields.push((name, Expression::read(reader)?));
            if !reader.takes(',') {
                reader.expect('}')?;
                return Ok(fields);
            }
        }
    }

    /// The number, if it is one.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Expression::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The words, if it is one or several of them.
    pub(super) fn words(&self) -> Option<Vec<&'s str>> {
        match self {
            Expression::Word(word) => Some(vec![*word]),
            Expression::Either(all) => all
                .iter()
                .map(|one| if let Expression::Word(word) = one { Some(*word) } else { None })
                .collect(),
            _ => None,
        }
    }

    /// The expression itself, or the only one of a list.
    pub(super) fn only(&self) -> &Expression<'s> {
        match self {
            Expression::List(list) if list.len() == 1 => &list[0],
            one => one,
        }
    }

    /// The field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&Expression<'s>> {
        match self {
            Expression::Struct(fields) => {
                fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }
}

//! The words of a script.

use std::ops::Range;

use logos::Logos;

use super::Mistake;

/// A word of a script.
#[derive(Clone, Copy, Debug, PartialEq, Logos)]
#[logos(skip r"[ \t\r\n]+")]
#[logos(skip(r"//[^\n]*", allow_greedy = true))]
#[logos(skip r"/\*([^*]|\*+[^*/])*\*+/")]
pub(super) enum Token<'s> {
    /// `--name=value`, before the first step.
    #[regex(r"--[A-Za-z0-9_]+(=[^ \t\r\n]*)?")]
    Flag(&'s str),
    /// A command for the shell.
    #[regex(r"`[^`]*`", |lex| inside(lex.slice(), 1))]
    Command(&'s str),
    /// Python.
    #[regex(r"%\{([^}]|\}+[^}%])*\}+%", |lex| inside(lex.slice(), 2))]
    Code(&'s str),
    /// A text in quotation marks.
    #[regex(r#""[^"\n]*""#, |lex| inside(lex.slice(), 1))]
    Text(&'s str),
    /// A number with a point.
    #[regex(r"[0-9]*\.[0-9]+", |lex| lex.slice().parse().ok())]
    Decimal(f64),
    /// A whole number, perhaps in hexadecimal.
    #[regex(r"[0-9]+", |lex| lex.slice().parse().ok())]
    #[regex(r"0x[0-9a-fA-F]+", |lex| i64::from_str_radix(&lex.slice()[2..], 16).ok())]
    Number(i64),
    /// The name of a call, an option, a flag.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Word(&'s str),
    /// Anything will do, or: from here to there.
    #[token("...")]
    Ellipsis,
    /// One of the rest.
    #[regex(r"[-+*~<>.:()\[\]{},=|]", |lex| lex.slice().chars().next())]
    Mark(char),
}

fn inside(quoted: &str, marks: usize) -> &str {
    &quoted[marks..quoted.len() - marks]
}

/// The words of a script, each with its place in the text.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Range<usize>)>, Mistake> {
    Token::lexer(text)
        .spanned()
        .map(|(token, place)| match token {
            Ok(token) => Ok((token, place)),
            Err(()) => {
                Err(Mistake::at(text, place.start, format!("no word of packetdrill: {}", &text[place])))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Token<'_>> {
        tokens(text).unwrap().into_iter().map(|(token, _)| token).collect()
    }

    #[test]
    fn a_time_that_lasts_is_a_number_an_ellipsis_and_a_number() {
        use Token::{Decimal, Ellipsis, Mark, Number, Word};
        assert_eq!(words("+0...0.010 read"), [Mark('+'), Number(0), Ellipsis, Decimal(0.010), Word("read")]);
        assert_eq!(words("+.1 < S."), [Mark('+'), Decimal(0.1), Mark('<'), Word("S"), Mark('.')]);
        assert_eq!(
            words("> . 1:2(0x1)"),
            [Mark('>'), Mark('.'), Number(1), Mark(':'), Number(2), Mark('('), Number(1), Mark(')')]
        );
    }

    #[test]
    fn comments_are_no_words() {
        assert_eq!(words("// a ` and a %{\n/* more\n ** of it */ 0 /**/ // end"), [Token::Number(0)]);
    }

    #[test]
    fn what_is_quoted_is_one_word() {
        assert_eq!(words("`sysctl -q a=1`"), [Token::Command("sysctl -q a=1")]);
        assert_eq!(words("%{ assert tcpi_unacked == 1 }%"), [Token::Code(" assert tcpi_unacked == 1 ")]);
        assert_eq!(words("--mtu=1400 \"x\""), [Token::Flag("--mtu=1400"), Token::Text("x")]);
    }

    #[test]
    fn a_mark_that_is_none_has_its_line_told() {
        let mistake = tokens("0 socket\n  ;").unwrap_err();
        assert_eq!((mistake.line, mistake.what.as_str()), (2, "no word of packetdrill: ;"));
    }
}

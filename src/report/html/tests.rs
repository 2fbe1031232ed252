//! What a browser must not take for anything else; pages of whole runs are read in `tests/html`.

use super::*;

#[test]
fn markup_in_a_text_is_text() {
    let mut out = Vec::new();
    inert::text(&mut out, "<b>&</b>").expect("memory takes it");
    assert_eq!(out, b"&lt;b&gt;&amp;&lt;/b&gt;");
}

#[test]
fn escaped_json_means_the_same_and_has_no_angle_bracket() {
    let mut out = Vec::new();
    let text = "</script><!--&\u{2028}\"\\";
    serde_json::to_writer(inert::Json(&mut out), text).expect("memory takes it");
    assert!(!out.contains(&b'<') && !out.contains(&b'>') && !out.contains(&b'&'));
    assert_eq!(serde_json::from_slice::<String>(&out).expect("it is still JSON"), text);
}

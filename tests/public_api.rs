//! The public interface, item by item, against a snapshot: what semantic versioning holds us to.
//!
//!     cargo test --test public_api -- --ignored
//!     INSTA_UPDATE=always cargo test --test public_api -- --ignored     accepts what has changed
//!
//! rustdoc knows what is re-exported, what is hidden, and which methods and traits a type has, so its pages are read.
//! (cargo-public-api needs a nightly compiler and does not see what is re-exported from a hidden module;
//! cargo-semver-checks needs a release to compare with.)
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The pieces of a page between two marks.
fn between<'a>(page: &'a str, from: &'a str, to: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(from).skip(1).filter_map(move |rest| Some(rest.split_once(to)?.0))
}

/// A piece of a page without its tags.
fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.replace("</div>", "\n").replace("<div", " <div").split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, letter)| text.replace(entity, letter))
}

fn one_line(html: &str) -> String {
    text(html).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An item as its page has it: its declaration, its methods, its traits.
fn item(path: &str, page: &str) -> String {
    let declaration = between(page, "<pre class=\"rust item-decl\"><code>", "</code></pre>").next();
    let declaration = text(declaration.unwrap_or_else(|| panic!("{path} has no declaration")));
    // Traits that every type has, and types of others that have a trait, are no promise of ours.
    let ours = ["id=\"synthetic-implementations\"", "id=\"implementors\"", "id=\"foreign-impls\""]
        .iter()
        .fold(page, |page, end| page.split(end).next().unwrap_or(page));
    let (inherent, traits) = ours.split_once("id=\"trait-implementations\"").unwrap_or((ours, ""));
    let methods = between(inherent, "<h4 class=\"code-header\">", "</h4>").map(one_line);
    let mut traits: Vec<String> =
        between(traits, "<h3 class=\"code-header\">", "</h3>").map(one_line).collect();
    traits.retain(|line| !line.contains("StructuralPartialEq"));
    traits.sort();
    let lines: Vec<String> = declaration.lines().map(str::to_owned).chain(methods).chain(traits).collect();
    format!("# {path}\n{}\n\n", lines.join("\n").trim_start())
}

#[test]
#[ignore = "builds the documentation, which takes a minute the first time"]
fn the_public_interface_is_the_one_in_the_snapshot() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("public_api");
    let pages = target.join("doc/echosim");
    if pages.exists() {
        fs::remove_dir_all(&pages).expect("the pages of the last time can go");
    }
    let status = Command::new(env!("CARGO"))
        .args(["doc", "--no-deps", "--lib", "--locked", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUSTDOCFLAGS")
        .status();
    assert!(status.expect("cargo runs").success(), "cargo doc fails");

    let page = |name: &str| fs::read_to_string(pages.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let index = page("all.html");
    let links = between(&index, "<li><a href=\"", "</a></li>").filter(|link| !link.starts_with('#'));
    let items = links.map(|link| {
        let (file, path) = link.split_once("\">").expect("a link and its text");
        item(path, &page(file))
    });
    let interface: String = items.collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("public-api", interface));
}

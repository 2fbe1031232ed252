//! A headless Chromium behind its WebDriver, and nothing of either left when a test ends.

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::Url;

/// No test takes longer: a browser that hangs is a failure.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How a page is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    size: (u32, u32),
    phone: bool,
    dark: bool,
}

pub(crate) const DESK: Look = Look { size: (1400, 900), phone: false, dark: false };
pub(crate) const NIGHT: Look = Look { dark: true, ..DESK };
pub(crate) const PHONE: Look = Look { size: (390, 844), phone: true, dark: false };

/// chromedriver; a browser whose session is not closed would outlive it.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Starts chromedriver on a free port, and answers its address.
fn driver() -> (Driver, String) {
    let started =
        Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut driver = Driver(started.expect("chromedriver starts: apt-get install chromium chromium-driver"));
    let lines = BufReader::new(driver.0.stdout.take().expect("a pipe")).lines();
    let says = "started successfully on port ";
    let port = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once(says)?.1.trim_end_matches('.').to_owned()));
    (driver, format!("http://127.0.0.1:{}", port.expect("chromedriver tells its port")))
}

/// A directory of this test's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Scratch {
        let path =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("html-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the target directory can be written");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The browser may still be writing into it; what is left lies in the target directory.
        _ = std::fs::remove_dir_all(&self.0);
    }
}

fn capabilities(look: Look, profile: &Scratch) -> serde_json::Map<String, Value> {
    let mut args = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-component-update",
        "--disable-background-networking",
        "--disable-sync",
    ]
    .map(str::to_owned)
    .to_vec();
    args.push(format!("--user-data-dir={}", profile.0.join("profile").display()));
    args.push(format!("--window-size={},{}", look.size.0, look.size.1));
    args.push(format!("--blink-settings=preferredColorScheme={}", if look.dark { 0 } else { 1 }));
    let mut chrome = json!({ "args": args });
    if look.phone {
        let (width, height) = look.size;
        chrome["mobileEmulation"] = json!({
            "deviceMetrics": { "width": width, "height": height, "pixelRatio": 2.0, "touch": true }
        });
    }
    let wanted = json!({ "goog:chromeOptions": chrome, "goog:loggingPrefs": { "browser": "ALL" } });
    wanted.as_object().expect("an object").clone()
}

/// Opens `page` and lets `test` have it. Whatever the page says on its console fails the test.
pub(crate) fn with_page<F>(name: &str, page: &str, look: Look, test: impl FnOnce(Client) -> F)
where
    F: Future<Output = ()>,
{
    let scratch = Scratch::new(name);
    let file = scratch.0.join("page.html");
    std::fs::write(&file, page).expect("the page can be written");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (_driver, address) = driver();
    let mut browser = None;
    let all = async {
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(look, &scratch));
        let client = builder.connect(&address).await.expect("Chromium starts: apt-get install chromium");
        browser = Some(client.clone());
        client.goto(&format!("file://{}", file.display())).await.expect("the page opens");
        test(client.clone()).await;
        let console = client.issue_cmd(Console).await.expect("the console can be read");
        assert_eq!(console, json!([]), "nothing is said on the console");
    };
    let in_time = async { tokio::time::timeout(TIME_LIMIT, all).await };
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(in_time)));
    let closed = browser
        .map(|client| runtime.block_on(async { tokio::time::timeout(TIME_LIMIT, client.close()).await }));
    match outcome {
        Ok(in_time) => in_time.expect("the browser answers in time"),
        Err(failure) => resume_unwind(failure),
    }
    closed.expect("there was one").expect("it closes in time").expect("the browser closes");
}

/// Keeps a picture of the page in the target directory, to be looked at.
pub(crate) async fn picture(client: &Client, name: &str) {
    let png = client.screenshot().await.expect("a picture");
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("html-{name}.png"));
    std::fs::write(path, png).expect("the picture can be written");
}

/// What the page said on its console: errors, warnings and refusals of its security policy.
#[derive(Debug)]
struct Console;

impl WebDriverCompatibleCommand for Console {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

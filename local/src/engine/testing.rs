//! An engine for tests: in a folder of its own, without a service model, its model servers a small script.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::{Engine, EngineConfig};

/// Answers pings, and invocations with `ANSWER` of its environment; ends at once when that is `broken`.
const SERVE: &str = r#"
import http.server, os, signal, sys
answer = os.environ["ANSWER"]
if answer == "broken":
    sys.exit("the model cannot be loaded")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, text):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def do_GET(self):
        self.reply("")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if body == "die":
            os._exit(3)
        self.reply(answer + ":" + body)
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"#;

/// The image that the test engine's environment stands in for.
pub(crate) const IMAGE: &str = "000000000000.dkr.ecr.us-east-1.amazonaws.com/tested:1";

/// A folder that goes when the test ends well.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

pub(crate) fn folder() -> Folder {
    let folder = std::env::temp_dir().join(format!("tidegate-engine-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(folder.join("containers")).unwrap();
    std::fs::create_dir_all(folder.join("environment/bin")).unwrap();
    std::fs::write(folder.join("containers/serve.py"), SERVE).unwrap();
    std::fs::write(
        folder.join("images.json"),
        r#"{"images": [{"repository": "tested", "environment": "environment"}]}"#,
    )
    .unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let python = std::env::split_paths(&path).map(|place| place.join("python3")).find(|file| file.is_file()).unwrap();
    std::os::unix::fs::symlink(python, folder.join("environment/bin/python")).unwrap();
    let model = std::fs::File::create(folder.join("model.json.gz")).unwrap();
    let mut model = flate2::write::GzEncoder::new(model, flate2::Compression::fast());
    std::io::Write::write_all(&mut model, br#"{"operations": {}, "shapes": {}}"#).unwrap();
    model.finish().unwrap();
    Folder(folder)
}

/// An engine on the folder, without its server. Nothing listens at its MiniStack's port.
pub(crate) fn engine(folder: &Path) -> Arc<Engine> {
    Engine::open(config(folder)).unwrap()
}

/// The same, with SageMaker's own model in `.venv/cloud` (`make setup`).
pub(crate) fn checked(folder: &Path) -> Arc<Engine> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Engine::open(EngineConfig { service_models: root.join(".venv/cloud"), ..config(folder) }).unwrap()
}

fn config(folder: &Path) -> EngineConfig {
    let mut config = EngineConfig::of_checkout(folder, folder.join("home"), 0, "http://127.0.0.1:1");
    config.region = "us-east-1".to_owned();
    config.images = folder.join("images.json");
    config.containers = folder.join("containers");
    config.service_models = folder.join("model.json.gz");
    config
}

/// The events that wait for delivery, oldest first.
pub(crate) fn events(engine: &Engine) -> Vec<Value> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(engine.config.events_dir()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()).collect()
}

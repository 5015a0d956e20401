//! The manifests of the default policies: their schemas are schemas, accept the default settings and refuse
//! what the component would refuse.

use boon::{Compiler, Schemas};
use serde_json::{Value, json};

struct Manifest {
    json: Value,
    schemas: Schemas,
    index: boon::SchemaIndex,
}

fn manifest(policy: &str) -> Manifest {
    let path = format!("{}/../{policy}/manifest.json", env!("CARGO_MANIFEST_DIR"));
    let json: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("a manifest")).expect("JSON");
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("settings.json", json["settings_schema"].clone()).expect("a schema");
    let index = compiler.compile("settings.json", &mut schemas).expect("a schema");
    Manifest { json, schemas, index }
}

impl Manifest {
    fn accepts(&self, settings: &Value) -> bool {
        self.schemas.validate(settings, self.index).is_ok()
    }
}

#[test]
fn every_schema_accepts_its_default_settings() {
    for policy in ["identity", "routing", "replies", "shortcuts"] {
        let manifest = manifest(policy);
        if let Err(error) = manifest.schemas.validate(&manifest.json["default_settings"], manifest.index) {
            panic!("{policy}: {error:#}");
        }
        assert_eq!(manifest.json["name"], policy);
        assert_eq!(manifest.json["hooks"], json!([policy]));
        assert_eq!(
            manifest.json["settings_schema"]["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{policy}"
        );
    }
}

#[test]
fn schemas_refuse_what_the_components_refuse() {
    let cases = [
        ("identity", "/questions", json!([])),
        ("identity", "/questions/0/kind", json!("shoe-size")),
        ("identity", "/max_attempts", json!(0)),
        ("identity", "/max_attempts", json!(11)),
        ("identity", "/date_order", json!("ydm")),
        ("identity", "/exit_word", json!(" ")),
        ("identity", "/acknowledgement", json!(7)),
        ("identity", "/languages/0/language", json!("Spanish!")),
        ("identity", "/languages/0/questions", json!([])),
        ("identity", "/languages/0/questions/0", json!({ "name": "full-name", "ask": "?" })),
        ("identity", "/decline_phrases", json!("no")),
        ("routing", "/rules/0", json!({ "name": "A", "when": "noon" })),
        ("routing", "/rules/0/priority", json!("soon")),
        ("routing", "/rules/0/any_keywords", json!("refill")),
        ("routing", "/emergency/keywords", json!("chest pain")),
        ("routing", "/default", json!({ "teem": "Nurses" })),
        ("replies", "/welcome", json!({})),
        ("replies", "/after_hours/body", json!(null)),
        ("replies", "/emergency/keywords", json!([""])),
        ("shortcuts", "/shortcuts/0", json!({ "name": "a", "title": "A" })),
        ("shortcuts", "/shortcuts/0/name", json!("Two words")),
    ];
    for (policy, pointer, value) in cases {
        let manifest = manifest(policy);
        let mut settings = manifest.json["default_settings"].clone();
        *settings.pointer_mut(pointer).unwrap() = value;
        assert!(!manifest.accepts(&settings), "{policy}{pointer}");
    }
}

#[test]
fn routing_and_replies_know_the_same_emergencies() {
    let keywords = |policy| manifest(policy).json["default_settings"]["emergency"]["keywords"].clone();
    assert_eq!(keywords("routing"), keywords("replies"));
}

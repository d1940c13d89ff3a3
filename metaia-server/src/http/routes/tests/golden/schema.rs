//! The OpenAPI description as a check of bodies: a validator of the keywords that it uses.
//!
//! It is stricter than JSON Schema: a member that is not described is a fault, and so is a keyword
//! that the validator does not know.

use std::collections::BTreeSet;

use super::{described::Exchange, *};

/// The OpenAPI description, and the parts of it that bodies have shown.
pub(super) struct Description {
    document: Value,
    /// The pointers to the schemas and members that bodies have shown.
    pub(super) shown: BTreeSet<String>,
}

impl Description {
    pub(super) fn new() -> Self {
        let document = crate::http::openapi::description();
        Self {
            document: serde_json::to_value(document).unwrap(),
            shown: BTreeSet::new(),
        }
    }

    /// Returns the pointer to the description of a reply; `None` if there is no such route.
    pub(super) fn reply_to(&self, exchange: &Exchange) -> Option<String> {
        let paths = self.document["paths"].as_object().unwrap();
        let template = paths.keys().find(|path| fits(path, &exchange.path))?;
        let method = &paths[template][&exchange.method];
        if method.is_null() {
            return None;
        }
        let is_explicit = !method["responses"][&exchange.status].is_null();
        let is_refusal = exchange.status.starts_with(['4', '5']);
        let status = if is_refusal && !is_explicit {
            "default"
        } else {
            &exchange.status
        };
        let route = format!("{}/{}", escape(template), exchange.method);
        Some(format!("/paths/{route}/responses/{status}"))
    }

    /// Checks a value against the schema at a pointer.
    pub(super) fn check(&mut self, schema: &str, value: &Value) -> Result<(), String> {
        let Some(found) = self.document.pointer(schema).cloned() else {
            return Err(format!("{schema} is not described"));
        };
        self.shown.insert(schema.to_owned());
        for keyword in found.as_object().unwrap().keys() {
            match keyword.as_str() {
                "description" | "example" | "format" | "minimum" | "propertyNames" => {}
                "$ref" => self.check(target(&found), value)?,
                "type" => check_type(&found["type"], value)?,
                "enum" => check_enum(&found["enum"], value)?,
                "oneOf" => self.check_one_of(schema, value)?,
                "items" => self.check_items(schema, value)?,
                // Members that are not described are faults anyway.
                "additionalProperties" if found[keyword] == json!(false) => {}
                "additionalProperties" => self.check_values(schema, value)?,
                "allOf" | "properties" | "required" => self.check_members(schema, value)?,
                other => return Err(format!("{schema}: the check does not know {other}")),
            }
        }
        Ok(())
    }

    fn check_one_of(&mut self, schema: &str, value: &Value) -> Result<(), String> {
        let count = self.document.pointer(schema).unwrap()["oneOf"]
            .as_array()
            .unwrap()
            .len();
        let fits =
            (0..count).any(|n| self.check_alternative(&format!("{schema}/oneOf/{n}"), value));
        if fits {
            Ok(())
        } else {
            Err(format!("{schema}: none fits {value}"))
        }
    }

    /// Returns whether a value fits. If it does not, it has shown nothing.
    fn check_alternative(&mut self, schema: &str, value: &Value) -> bool {
        let shown_before = self.shown.clone();
        let fits = self.check(schema, value).is_ok();
        if !fits {
            self.shown = shown_before;
        }
        fits
    }

    fn check_items(&mut self, schema: &str, value: &Value) -> Result<(), String> {
        for item in value.as_array().into_iter().flatten() {
            self.check(&format!("{schema}/items"), item)?;
        }
        Ok(())
    }

    fn check_values(&mut self, schema: &str, value: &Value) -> Result<(), String> {
        for member in value.as_object().into_iter().flat_map(|all| all.values()) {
            self.check(&format!("{schema}/additionalProperties"), member)?;
        }
        Ok(())
    }

    /// Checks the members of an object: all that are required are there, and each that is there is
    /// described.
    fn check_members(&mut self, schema: &str, value: &Value) -> Result<(), String> {
        let Some(object) = value.as_object() else {
            return Ok(());
        };
        let mut described = Vec::new();
        self.members(schema, &mut described);
        for (name, property, is_required) in &described {
            match object.get(name) {
                Some(member) => self.check(property, member)?,
                None if *is_required => return Err(format!("{schema}: {name} is missing")),
                None => {}
            }
        }
        for name in object.keys() {
            if !described.iter().any(|(described, ..)| described == name) {
                return Err(format!("{schema}: {name} is not described"));
            }
        }
        Ok(())
    }

    /// Collects the members of an object's schema: their names, pointers, and whether each is
    /// required.
    fn members(&self, schema: &str, into: &mut Vec<(String, String, bool)>) {
        let found = self.document.pointer(schema).unwrap();
        if !found["$ref"].is_null() {
            return self.members(target(found), into);
        }
        let parts = found["allOf"].as_array().map_or(0, Vec::len);
        for n in 0..parts {
            self.members(&format!("{schema}/allOf/{n}"), into);
        }
        let required = found["required"].as_array();
        for name in found["properties"]
            .as_object()
            .into_iter()
            .flat_map(|p| p.keys())
        {
            let is_required = required.is_some_and(|all| all.contains(&json!(name)));
            let pointer = format!("{schema}/properties/{}", escape(name));
            into.push((name.clone(), pointer, is_required));
        }
    }

    /// Returns the pointers to all replies, and to every member of their bodies.
    pub(super) fn described(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (template, methods) in self.document["paths"].as_object().unwrap() {
            for (method, route) in methods.as_object().unwrap() {
                for (status, reply) in route["responses"].as_object().unwrap() {
                    let kind = reply["content"].as_object().unwrap().keys().next().unwrap();
                    let route = format!("/paths/{}/{method}", escape(template));
                    let content = format!("responses/{status}/content/{}", escape(kind));
                    self.collect(&format!("{route}/{content}/schema"), &mut found);
                }
            }
        }
        found
    }

    fn collect(&self, schema: &str, into: &mut BTreeSet<String>) {
        if !into.insert(schema.to_owned()) {
            return;
        }
        let found = self.document.pointer(schema).unwrap();
        if !found["$ref"].is_null() {
            self.collect(target(found), into);
        }
        let mut members = Vec::new();
        self.members(schema, &mut members);
        for (_, property, _) in members {
            self.collect(&property, into);
        }
        let alternatives = found["oneOf"].as_array().map_or(0, Vec::len);
        for n in 0..alternatives {
            self.collect(&format!("{schema}/oneOf/{n}"), into);
        }
        for part in ["items", "additionalProperties"] {
            if found[part].is_object() {
                self.collect(&format!("{schema}/{part}"), into);
            }
        }
    }
}

/// Returns the pointer that a reference contains.
fn target(schema: &Value) -> &str {
    schema["$ref"].as_str().unwrap().trim_start_matches('#')
}

fn check_type(expected: &Value, value: &Value) -> Result<(), String> {
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |expected: &Value| {
        *expected == json!(actual) || (actual == "integer" && *expected == json!("number"))
    };
    let fits = expected
        .as_array()
        .map_or_else(|| is(expected), |any| any.iter().any(is));
    if fits {
        Ok(())
    } else {
        Err(format!("{value} is not {expected}"))
    }
}

fn check_enum(values: &Value, value: &Value) -> Result<(), String> {
    if values.as_array().unwrap().contains(value) {
        Ok(())
    } else {
        Err(format!("{value} is not one of {values}"))
    }
}

/// Returns whether a path is one of a template's.
pub(super) fn fits(template: &str, path: &str) -> bool {
    let template: Vec<&str> = template.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    let is_same = |(part, given): (&&str, &&str)| part.starts_with('{') || part == given;
    template.len() == path.len() && template.iter().zip(&path).all(is_same)
}

pub(super) fn escape(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

#[test]
fn an_alternative_that_does_not_fit_shows_nothing() {
    let one = json!({ "properties": { "a": {}, "b": { "enum": [1] } } });
    let two = json!({ "properties": { "a": {}, "b": { "enum": [2] } } });
    let mut description = Description {
        document: json!({ "s": { "oneOf": [one, two] } }),
        shown: BTreeSet::new(),
    };
    let value = json!({ "a": null, "b": 2 });
    assert_eq!(description.check("/s", &value), Ok(()));
    let fitting = "/s/oneOf/1";
    let members = ["a", "b"].map(|name| format!("{fitting}/properties/{name}"));
    let shown = ["/s", fitting]
        .map(str::to_owned)
        .into_iter()
        .chain(members);
    assert_eq!(description.shown, shown.collect());
}

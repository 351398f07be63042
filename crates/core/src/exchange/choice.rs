//! How a choice is written: by the gateway for each exchange on a route, and again from what was read back.

use super::{Chosen, Standing};
use crate::written::{Text, put, put_list, put_own_string, put_string};

impl Chosen {
    /// Puts it behind a text, as JSON.
    pub fn put(&self, json: &mut impl Text) {
        put(json, "{\"strategy\":");
        put_string(json, &self.strategy);
        for (name, standings) in [(",\"order\":", &self.order), (",\"removed\":", &self.removed)] {
            put(json, name);
            put_list(json, standings, Standing::put);
        }
        if let Some(evidence) = &self.evidence {
            put(json, ",\"evidence\":");
            json.own(evidence.text());
        }
        put(json, "}");
    }
}

impl Standing {
    /// Puts it behind a text, as JSON.
    pub fn put<T: Text>(json: &mut T, standing: &Self) {
        put(json, "{\"target\":");
        put_own_string(json, &standing.target);
        put(json, ",\"why\":");
        put_own_string(json, &standing.why);
        put(json, "}");
    }
}

/// Puts a [`Standing`] behind a text, as JSON, whose reason is written as it goes: `why` puts words that JSON escapes nothing
/// of, and `target` is a JSON string already. Targets belong to the text alone: routes draw them in any order.
pub fn put_standing<T: Text>(json: &mut T, target: &str, why: impl FnOnce(&mut T)) {
    put(json, "{\"target\":");
    json.own(target);
    put(json, ",\"why\":\"");
    why(json);
    put(json, "\"}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::written::{Said, Written};

    #[test]
    fn a_choice_is_written_as_it_is_read() {
        let standing = |target: &str| Standing { target: target.into(), why: "a \"reason\"".to_owned() };
        let chosen = Chosen {
            strategy: "weighted".into(),
            order: vec![standing("a/b"), standing("c\\d")],
            removed: vec![],
            evidence: Some(Written::from("{\"seed\":1}".to_owned())),
        };
        let mut said = Said::default();
        chosen.put(&mut said.split());
        assert_eq!(said.text(), serde_json::to_string(&chosen).unwrap());
        assert_eq!(serde_json::from_str::<Chosen>(&said.text()).unwrap(), chosen);
    }

    #[test]
    fn a_standing_may_be_written_as_its_reason_comes() {
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        Standing::put(&mut whole, &Standing { target: "a/b".into(), why: "weight 3".to_owned() });
        put_standing(&mut parts, "\"a/b\"", |json| {
            put(json, "weight ");
            json.number(3);
        });
        assert_eq!(parts, whole);
    }
}

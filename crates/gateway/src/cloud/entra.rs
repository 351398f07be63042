//! A service principal of Microsoft Entra ID.
//!
//! <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow> and, for the scope,
//! <https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/managed-identity>, read 2026-11-23.

use pilothouse_core::secret::Secret;

/// What a token may be used for: Azure's AI services.
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const AUTHORITY: &str = "https://login.microsoftonline.com";

/// A service principal.
#[derive(Debug)]
pub struct Principal {
    /// The application's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// Where it is shown.
    pub token_uri: String,
}

impl Principal {
    /// A principal of a tenant, at an authority of its own or at that of the public cloud.
    ///
    /// # Errors
    /// When tenant or authority cannot be part of an address.
    pub fn new(
        tenant: &str,
        client_id: &str,
        client_secret: Secret,
        authority: Option<&str>,
    ) -> Result<Self, String> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if tenant.is_empty() || !tenant.bytes().all(is_plain) {
            return Err(format!("`{tenant}` is not a tenant's id or domain"));
        }
        let authority = authority.unwrap_or(AUTHORITY).trim_end_matches('/');
        let token_uri = format!("{authority}/{tenant}/oauth2/v2.0/token");
        super::grant::must_be_private(&token_uri)
            .map_err(|why| format!("`{authority}` is an authority that {why}"))?;
        Ok(Self { client_id: client_id.to_owned(), client_secret, token_uri })
    }

    /// The form that asks for a token.
    pub(super) fn form(&self) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", self.client_id.clone()),
            ("client_secret", self.client_secret.reveal().to_owned()),
            ("scope", SCOPE.to_owned()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_asks_the_authority_of_its_tenant() {
        let principal = Principal::new("contoso.test", "app", Secret::new("canary"), None).unwrap();
        assert_eq!(principal.token_uri, "https://login.microsoftonline.com/contoso.test/oauth2/v2.0/token");
        assert!(principal.form().contains(&("grant_type", "client_credentials".to_owned())));
        assert!(!format!("{principal:?}").contains("canary"));
        for (tenant, authority) in [("a/b", None), ("", None), ("t", Some("http://evil.test"))] {
            assert!(Principal::new(tenant, "app", Secret::new("s"), authority).is_err(), "{tenant}");
        }
    }
}

//! TLS towards vendors: the system's roots, else the bundled web roots; extra CA and client certificate per vendor.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Certificate files of one vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM file of additional certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// PEM file of our certificate chain, for servers that ask for one.
    pub client_certificate: Option<PathBuf>,
    /// PEM file of its key.
    pub client_key: Option<PathBuf>,
    /// Offer HTTP/2 by ALPN. HTTP/1.1 is always offered.
    pub http2: bool,
}

/// Why TLS cannot be set up.
#[derive(Debug)]
pub struct TlsError(String);

impl fmt::Display for TlsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |why: String| TlsError(format!("cannot read certificates from `{}`: {why}", path.display()));
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(|error| wrong(error.to_string()))?
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() { Err(wrong("it holds none".into())) } else { Ok(found) }
}

pub(crate) fn client_config(files: &TlsFiles) -> Result<Arc<rustls::ClientConfig>, TlsError> {
    let mut roots = rustls::RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        // A bare container has no certificate store; public vendors are reachable all the same.
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = &files.ca_file {
        for certificate in certificates(path)? {
            roots
                .add(certificate)
                .map_err(|error| TlsError(format!("cannot use the CA in `{}`: {error}", path.display())))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError(error.to_string()))?
        .with_root_certificates(roots);
    let mut config = match (&files.client_certificate, &files.client_key) {
        (Some(chain), Some(key)) => {
            let key_der = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| TlsError(format!("cannot read the key `{}`: {error}", key.display())))?;
            builder
                .with_client_auth_cert(certificates(chain)?, key_der)
                .map_err(|error| TlsError(format!("cannot use the client certificate: {error}")))?
        }
        (None, None) => builder.with_no_client_auth(),
        _ => return Err(TlsError("client_certificate and client_key go together: give both".into())),
    };
    config.alpn_protocols =
        if files.http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    Ok(Arc::new(config))
}

/// The same settings without the offer of HTTP/2.
pub(crate) fn http1_only(config: &Arc<rustls::ClientConfig>) -> Arc<rustls::ClientConfig> {
    if config.alpn_protocols.iter().all(|protocol| protocol != b"h2") {
        return Arc::clone(config);
    }
    let mut config = rustls::ClientConfig::clone(config);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

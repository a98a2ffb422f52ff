//! A test certificate authority.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// A certificate authority that signs the certificates of a server and its clients, and writes
/// them into a directory.
#[derive(Debug)]
pub(super) struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    name: String,
    folder: PathBuf,
}

/// The usage of a certificate.
#[derive(Debug, Clone, Copy)]
pub(super) enum CertificateUsage {
    Server,
    Client,
}

impl CertificateAuthority {
    /// Creates an authority, with its certificate in `<name>.pem`.
    pub(super) fn new(name: &str, folder: &Path) -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).expect("the parameters are right").pem();
        let (name, folder) = (name.to_owned(), folder.to_owned());
        let authority = Self { issuer: Issuer::new(params, key), pem, name, folder };
        authority.write_file(&format!("{}.pem", authority.name), &authority.pem);
        authority
    }

    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(format!("{}.pem", self.name))
    }

    /// Creates a certificate for these names, the first of which is its subject, and its key. Returns
    /// the two files.
    pub(super) fn sign(&self, side: CertificateUsage, names: &[&str]) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = params(names[0], names);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match side {
            CertificateUsage::Server => ExtendedKeyUsagePurpose::ServerAuth,
            CertificateUsage::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        let signed = params.signed_by(&key, &self.issuer).expect("the parameters are right");
        let name = names[0];
        (
            self.write_file(&format!("{name}.cert.pem"), &signed.pem()),
            self.write_file(&format!("{name}.key.pem"), &key.serialize_pem()),
        )
    }

    fn write_file(&self, name: &str, pem: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs_err::write(&path, pem).expect("the file can be written");
        path
    }
}

fn params(name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("these names may be in a certificate");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

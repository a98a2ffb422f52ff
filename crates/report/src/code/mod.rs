//! The codes of findings: for each the stable name, the default level and the page.
//!
//! Each page is a file in `pages/` with the name of its code. A code without a page doesn't
//! compile.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Level;

macro_rules! codes {
    ($($variant:ident $name:literal $level:ident;)*) => {
        /// The kind of a finding. Its name is stable, in kebab case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $name, "`. Its page explains it.")] $variant,)*
        }

        impl Code {
            /// Every code, sorted by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the default level of its findings.
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            /// Returns the page in Markdown: a title, the meaning and the cause, and what to do.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("pages/", $name, ".md")),)* }
            }
        }
    };
}

codes! {
    ActivationFailed "activation-failed" Error;
    AddressInManifest "address-in-manifest" Error;
    AlternativesInPattern "alternatives-in-pattern" Warning;
    ApiPath "api-path" Error;
    ApprovalRequired "approval-required" Error;
    BadIndex "bad-index" Error;
    BadPrefix "bad-prefix" Error;
    BundleConflict "bundle-conflict" Error;
    BundleFolder "bundle-folder" Error;
    CacheReadOnly "cache-read-only" Note;
    CacheUnusable "cache-unusable" Error;
    ChannelCredentialsUnreadable "channel-credentials-unreadable" Warning;
    ChannelForbidden "channel-forbidden" Error;
    ChannelInvalid "channel-invalid" Error;
    ChannelLocal "channel-local" Error;
    ChannelNotFound "channel-not-found" Error;
    ChannelVariableUnset "channel-variable-unset" Error;
    ClientCertificateUnusable "client-certificate-unusable" Error;
    Clobbered "clobbered" Warning;
    ClockSkew "clock-skew" Warning;
    CommandNotExecutable "command-not-executable" Error;
    CondarcUnused "condarc-unused" Note;
    ConfigurationUnreadable "configuration-unreadable" Error;
    ConfigurationValueInvalid "configuration-value-invalid" Error;
    CpythonNotMovable "cpython-not-movable" Error;
    CpythonUnreadable "cpython-unreadable" Error;
    DamagedPackage "damaged-package" Error;
    DefaultsTerms "defaults-terms" Warning;
    DemoStep "demo-step" Error;
    DemoSystem "demo-system" Error;
    DenyDiscards "deny-discards" Warning;
    DenyLeavesParent "deny-leaves-parent" Warning;
    DenyOverridden "deny-overridden" Warning;
    DependencyConflict "dependency-conflict" Error;
    DependsOnIdentity "depends-on-identity" Error;
    DependsOnParameters "depends-on-parameters" Error;
    DialectDependent "dialect-dependent" Error;
    DialectSpecific "dialect-specific" Warning;
    DiskFull "disk-full" Error;
    DoctorCache "doctor-cache" Error;
    DoctorClock "doctor-clock" Error;
    DoctorLinks "doctor-links" Error;
    DoctorProxy "doctor-proxy" Error;
    DoctorSource "doctor-source" Error;
    DoctorTrust "doctor-trust" Error;
    DoctorUnknown "doctor-unknown" Error;
    DoubleSlash "double-slash" Warning;
    DrSecondary "dr-secondary" Error;
    DuplicateAttribute "duplicate-attribute" Error;
    DuplicateChannel "duplicate-channel" Warning;
    DuplicateDependency "duplicate-dependency" Warning;
    DuplicateKey "duplicate-key" Error;
    DuplicatePlatform "duplicate-platform" Warning;
    DuplicateVariable "duplicate-variable" Error;
    EmptyEnvironment "empty-environment" Error;
    EndsInSlash "ends-in-slash" Warning;
    EnvironmentNameInvalid "environment-name-invalid" Error;
    ExcessRights "excess-rights" Warning;
    ExcludeNewer "exclude-newer" Note;
    ExcludedByDate "excluded-by-date" Error;
    ExpiredBlock "expired-block" Warning;
    ExpiresSoon "expires-soon" Warning;
    ExtendsItself "extends-itself" Error;
    FileChanged "file-changed" Error;
    FileExists "file-exists" Error;
    FileListWrong "file-list-wrong" Warning;
    FileMissing "file-missing" Error;
    FileTooLarge "file-too-large" Error;
    FileUnreadable "file-unreadable" Error;
    FileUntracked "file-untracked" Error;
    FolderNotEmpty "folder-not-empty" Error;
    GrantsEverything "grants-everything" Warning;
    GrantsNothing "grants-nothing" Warning;
    HiddenByPriority "hidden-by-priority" Error;
    HostilePackage "hostile-package" Error;
    IgnoredParameters "ignored-parameters" Warning;
    ImplicitChannels "implicit-channels" Warning;
    ImplicitDefaults "implicit-defaults" Warning;
    IndexOlder "index-older" Warning;
    IndexRecordMalformed "index-record-malformed" Error;
    IndexShrunk "index-shrunk" Warning;
    IndexUnavailable "index-unavailable" Error;
    InputLimit "input-limit" Error;
    InputUnreadable "input-unreadable" Error;
    InsecureTls "insecure-tls" Error;
    Interrupted "interrupted" Error;
    InvalidDate "invalid-date" Error;
    InvalidSelector "invalid-selector" Error;
    InvalidText "invalid-text" Error;
    JsonFlattened "json-flattened" Warning;
    JsonLostValue "json-lost-value" Warning;
    KeyNotOfEngine "key-not-of-engine" Error;
    Kv2DataPath "kv2-data-path" Error;
    LeadingSlash "leading-slash" Note;
    LinkFailed "link-failed" Error;
    ListOnData "list-on-data" Warning;
    LiteralStarValue "literal-star-value" Warning;
    LiteralWildcard "literal-wildcard" Warning;
    LockConflict "lock-conflict" Error;
    LockInconsistent "lock-inconsistent" Error;
    LockMalformed "lock-malformed" Error;
    LockNotWritten "lock-not-written" Error;
    LockOfOtherTool "lock-of-other-tool" Error;
    LockVersionUnsupported "lock-version-unsupported" Error;
    LoginAnswerLost "login-answer-lost" Error;
    LoginCredentialMalformed "login-credential-malformed" Error;
    LoginCredentialMissing "login-credential-missing" Error;
    LoginRefused "login-refused" Error;
    LogoutFailed "logout-failed" Warning;
    MalformedVariables "malformed-variables" Error;
    MatchSpecInvalid "match-spec-invalid" Error;
    MergeKey "merge-key" Error;
    MfaRequired "mfa-required" Error;
    MirrorMalformed "mirror-malformed" Error;
    MirrorUnsupported "mirror-unsupported" Warning;
    MisplacedPip "misplaced-pip" Error;
    MissingCondarc "missing-condarc" Warning;
    MissingField "missing-field" Error;
    MissingKey "missing-key" Error;
    MixedGroup "mixed-group" Error;
    MovedPrefix "moved-prefix" Error;
    NamespaceIgnored "namespace-ignored" Warning;
    NamespaceUnknown "namespace-unknown" Error;
    NetworkUnusable "network-unusable" Error;
    NeverDecides "never-decides" Warning;
    NoAddress "no-address" Error;
    NoAuth "no-auth" Error;
    NoChannel "no-channel" Error;
    NoCpython "no-cpython" Error;
    NoDependencies "no-dependencies" Error;
    NoEnvironment "no-environment" Error;
    NoExpectation "no-expectation" Error;
    NoManifest "no-manifest" Error;
    NoPoliciesAttached "no-policies-attached" Note;
    NoProfile "no-profile" Error;
    NoPython "no-python" Error;
    NoSha256 "no-sha256" Error;
    NoShell "no-shell" Error;
    NoSource "no-source" Error;
    NoSuchBuild "no-such-build" Error;
    NoSuchCommand "no-such-command" Error;
    NoSuchFile "no-such-file" Error;
    NoSuchVersion "no-such-version" Error;
    NoThreads "no-threads" Error;
    NonExpiringToken "non-expiring-token" Warning;
    NotAFile "not-a-file" Error;
    NotAVault "not-a-vault" Error;
    NotAnEnvironment "not-an-environment" Error;
    NotCached "not-cached" Error;
    NotCompiled "not-compiled" Note;
    NotInChannel "not-in-channel" Error;
    NotInSubdir "not-in-subdir" Error;
    NotInitialised "not-initialised" Error;
    NotLockedPackage "not-locked-package" Error;
    NotUtf8 "not-utf8" Error;
    NumberNeverEqual "number-never-equal" Warning;
    OneOfAmbiguous "one-of-ambiguous" Warning;
    OtherArchiveUsed "other-archive-used" Warning;
    OtherFormat "other-format" Error;
    OtherPlatform "other-platform" Error;
    OtherServer "other-server" Warning;
    OtherToolsEnvironment "other-tools-environment" Error;
    OutputFailed "output-failed" Error;
    OutputUnwritable "output-unwritable" Error;
    OverrideMalformed "override-malformed" Error;
    PackageForbidden "package-forbidden" Error;
    PackageMalformed "package-malformed" Error;
    PackageUnchecked "package-unchecked" Error;
    PackagesUnavailable "packages-unavailable" Error;
    ParameterSpellings "parameter-spellings" Warning;
    ParametersOnRead "parameters-on-read" Warning;
    PipConflict "pip-conflict" Error;
    PipCredential "pip-credential" Error;
    PipHash "pip-hash" Error;
    PipInclude "pip-include" Error;
    PipIndex "pip-index" Error;
    PipMarker "pip-marker" Warning;
    PipMissing "pip-missing" Warning;
    PipNoSolution "pip-no-solution" Error;
    PipNotLockable "pip-not-lockable" Error;
    PipOption "pip-option" Error;
    PipOptionUnused "pip-option-unused" Warning;
    PipPython "pip-python" Error;
    PipRequirement "pip-requirement" Error;
    PipSkipped "pip-skipped" Error;
    PipUnknown "pip-unknown" Error;
    PipVariable "pip-variable" Error;
    PlaceholderInEnvironment "placeholder-in-environment" Error;
    PlaceholderInPolicy "placeholder-in-policy" Warning;
    Plaintext "plaintext" Error;
    PlatformDropped "platform-dropped" Warning;
    PlatformNotLocked "platform-not-locked" Error;
    PolicyFileUnreadable "policy-file-unreadable" Error;
    PolicyNamespace "policy-namespace" Warning;
    PolicyRejected "policy-rejected" Error;
    PolicyShorthand "policy-shorthand" Warning;
    PolicySyntax "policy-syntax" Error;
    PolicyTestFailed "policy-test-failed" Error;
    PostLinkFailed "post-link-failed" Error;
    PrefixIoError "prefix-io-error" Error;
    PrefixKeyIgnored "prefix-key-ignored" Warning;
    PrefixRecordDamaged "prefix-record-damaged" Error;
    PreviousNotAnEnvironment "previous-not-an-environment" Error;
    RateLimited "rate-limited" Error;
    Redirected "redirected" Error;
    RegularExpression "regular-expression" Warning;
    RequestDenied "request-denied" Error;
    ReservedChannel "reserved-channel" Error;
    RootToken "root-token" Error;
    RulesNotCompared "rules-not-compared" Note;
    ScriptsNotRun "scripts-not-run" Warning;
    Sealed "sealed" Error;
    SecondDocument "second-document" Error;
    SecondLabel "second-label" Warning;
    SecretInFile "secret-in-file" Error;
    SecretInVariable "secret-in-variable" Warning;
    SecretMissing "secret-missing" Error;
    SelectorIgnored "selector-ignored" Warning;
    SelectorNotFirst "selector-not-first" Warning;
    SelectorUnknown "selector-unknown" Warning;
    ServerDisagrees "server-disagrees" Error;
    ServerError "server-error" Error;
    ServerVariableInvalid "server-variable-invalid" Error;
    StaleLock "stale-lock" Error;
    StalePrefix "stale-prefix" Warning;
    StarKeyValues "star-key-values" Warning;
    StateNotReplicated "state-not-replicated" Error;
    SubdirEmpty "subdir-empty" Warning;
    SudoMissing "sudo-missing" Warning;
    SudoWithoutCapability "sudo-without-capability" Warning;
    SyntaxError "syntax-error" Error;
    TimedOut "timed-out" Error;
    TlsUntrusted "tls-untrusted" Error;
    TokenRefused "token-refused" Error;
    TooFewTokenUses "too-few-token-uses" Error;
    TtlTooShort "ttl-too-short" Error;
    TwoAddresses "two-addresses" Error;
    TwoManifests "two-manifests" Error;
    UnattachedPolicy "unattached-policy" Note;
    UnknownAlias "unknown-alias" Error;
    UnknownCode "unknown-code" Error;
    UnknownField "unknown-field" Error;
    UnknownIdentityTemplate "unknown-identity-template" Warning;
    UnknownKey "unknown-key" Error;
    UnknownName "unknown-name" Error;
    UnknownOperation "unknown-operation" Error;
    UnknownPackage "unknown-package" Error;
    UnknownParameter "unknown-parameter" Warning;
    UnknownPlatform "unknown-platform" Error;
    UnknownSection "unknown-section" Error;
    UnknownTag "unknown-tag" Error;
    UnknownValue "unknown-value" Error;
    UnknownVersion "unknown-version" Error;
    UnlabelledPath "unlabelled-path" Warning;
    UnmetVirtualPackages "unmet-virtual-packages" Error;
    Unreachable "unreachable" Error;
    UnreadableAnswer "unreadable-answer" Error;
    UnsupportedHost "unsupported-host" Error;
    UntrackedFiles "untracked-files" Error;
    UntrustedPath "untrusted-path" Error;
    UnusedException "unused-exception" Warning;
    UnusedPolicy "unused-policy" Warning;
    Unverifiable "unverifiable" Error;
    UnverifiedServers "unverified-servers" Warning;
    UrlInPattern "url-in-pattern" Warning;
    Usage "usage" Error;
    ValueInManifest "value-in-manifest" Error;
    VariableContradicts "variable-contradicts" Error;
    VariableCredential "variable-credential" Error;
    VariableNameInvalid "variable-name-invalid" Error;
    VariableValueInvalid "variable-value-invalid" Error;
    VirtualPackageUnusable "virtual-package-unusable" Error;
    VirtualPackagesDiffer "virtual-packages-differ" Warning;
    VirtualPackagesKept "virtual-packages-kept" Note;
    VirtualPackagesUndetected "virtual-packages-undetected" Error;
    WrappingTokenMismatch "wrapping-token-mismatch" Error;
    WrappingTokenUsed "wrapping-token-used" Error;
    WriteToSlash "write-to-slash" Warning;
    WrongAddress "wrong-address" Error;
    WrongEngine "wrong-engine" Error;
    WrongPackage "wrong-package" Error;
    WrongType "wrong-type" Error;
}

impl Code {
    /// Returns the title of its page.
    pub fn title(self) -> &'static str {
        self.page().lines().next().unwrap_or_default().trim_start_matches("# ")
    }

    /// Whether the code says that something couldn't be determined, not that it is wrong.
    pub const fn is_undetermined(self) -> bool {
        matches!(self, Self::Unverifiable | Self::DoctorUnknown)
    }

    /// Returns the code whose name is nearest to `word`.
    pub fn nearest(word: &str) -> Option<Self> {
        let near = crate::nearest(word, Self::ALL.iter().map(|code| code.as_str()))?;
        near.parse().ok()
    }
}

/// The text isn't the name of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCode;

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        let at = Self::ALL.binary_search_by_key(&name, |code| code.as_str());
        at.map(|at| Self::ALL[at]).map_err(|_| UnknownCode)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Compares a code with a name, for tests and scripts.
impl PartialEq<&str> for Code {
    fn eq(&self, name: &&str) -> bool {
        self.as_str() == *name
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl schemars::JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "The stable name of a kind of finding. `envlock explain CODE` prints its page.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_parsed_from_their_names() {
        assert!(Code::ALL.is_sorted_by_key(|code| code.as_str()));
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
        assert_eq!("nonsense".parse::<Code>(), Err(UnknownCode));
        assert_eq!(Code::nearest("kv2-datapath"), Some(Code::Kv2DataPath));
    }

    #[test]
    fn every_page_has_a_title_and_instructions() {
        for code in Code::ALL {
            let page = code.page();
            assert!(page.starts_with("# ") && !code.title().is_empty(), "{code}");
            assert!(page.contains("\n\nDo: "), "{code}");
            assert!(page.lines().all(|line| line.chars().count() <= 80), "{code}");
        }
    }

    #[test]
    fn every_page_belongs_to_a_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/code/pages");
        for page in std::fs::read_dir(folder).unwrap() {
            let name = page.unwrap().file_name().into_string().unwrap();
            let code = name.strip_suffix(".md").unwrap();
            assert!(code.parse::<Code>().is_ok(), "no code for the page {name}");
        }
    }
}

//! `policy explain`: which rule decides a request, and why.

use std::path::PathBuf;

use envlock_policy::{
    Acl, DeclaredParameters, EvaluationContext, Operation, PartialBody, Policy, Request,
    explain::{Explanation, explain as explain_request},
};
use envlock_secrets::manifest::TargetServers;

use super::{
    PolicyCommandError,
    files::{policy_name, read},
};

/// A request, and the policies of the token that makes it.
#[derive(Debug, Clone)]
pub struct PolicyExplainOptions {
    /// The policy files.
    pub files: Vec<PathBuf>,
    /// The path below `/v1/`.
    pub path: String,
    /// The operation's name, such as `read`.
    pub operation: String,
    /// The parameters that it sends, each with its value, or `None` if only its name is known. `None`
    /// if nothing is known about the parameters of a write; a read then has none.
    pub parameters: Option<DeclaredParameters>,
    /// The namespace that the request is sent to.
    pub namespace: String,
    /// The namespace that the policies are uploaded to; that of the request if it isn't given.
    pub policy_namespace: Option<String>,
    /// The server that reads the policies.
    pub dialect: TargetServers,
    /// The time at which the request is made.
    pub now: jiff::Timestamp,
}

/// The results for every requested dialect.
#[derive(Debug)]
pub struct PolicyExplanation {
    /// Whether all dialects allow the request.
    pub allowed: bool,
    /// One result for each dialect.
    pub answers: Vec<Explanation>,
}

/// Explains how the policies decide the request.
pub fn explain(input: &PolicyExplainOptions) -> Result<PolicyExplanation, PolicyCommandError> {
    let operation = Operation::from_name(&input.operation);
    if operation == Operation::Other {
        return Err(PolicyCommandError::Operation {
            name: input.operation.clone(),
            known: Operation::BY_NAME.iter().map(|(name, _)| *name).collect(),
        });
    }
    let body = body(operation, input.parameters.as_ref());
    let mut policies = Vec::new();
    for (file, text) in &read(&input.files)? {
        policies.push(Policy::parse(&policy_name(file), file, text)?);
    }
    let given: Vec<&Policy> = policies.iter().collect();
    let mut answers = Vec::new();
    for dialect in input.dialect.dialects() {
        let context = EvaluationContext {
            dialect: *dialect,
            now: input.now,
            identity: None,
            // A token has the policies of its own namespace.
            token_namespace: input.policy_namespace.as_deref().unwrap_or(&input.namespace),
        };
        let request =
            Request { namespace: &input.namespace, ..Request::new(operation, &input.path) };
        answers.push(explain_request(&Acl::new(&given, &context)?, &request, body.as_ref()));
    }
    Ok(PolicyExplanation { allowed: answers.iter().all(|answer| answer.allowed), answers })
}

/// What is known about the parameters of the request. `None` if it has none.
fn body(operation: Operation, parameters: Option<&DeclaredParameters>) -> Option<PartialBody> {
    let writes = matches!(operation, Operation::Create | Operation::Update | Operation::Patch);
    let Some(parameters) = parameters else {
        return writes.then(|| PartialBody { open: true, ..PartialBody::default() });
    };
    Some(PartialBody::exactly(parameters))
}

//! Suggests a known word for a misspelled one.

/// Returns the known word that is most similar to `word`, or `None` if none is similar enough.
/// It never returns `word` itself.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MAX_BYTES {
        return None;
    }
    // `python` isn't a misspelling of `python-hdfs`, but `user` can be one of `username`.
    let is_compound = |candidate: &&str| {
        let rest = candidate.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
    };
    let lower = word.to_lowercase();
    known
        .into_iter()
        .filter(|candidate| !is_compound(candidate))
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= 0.84)
        .max_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| y.cmp(x)))
        .map(|(_, candidate)| candidate)
}

/// The longest word that is compared: the comparison takes time with the length, and no known word
/// is longer.
const MAX_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelled_word_has_a_suggestion_and_nonsense_has_none() {
        let keys = ["name", "channels", "dependencies", "variables"];
        assert_eq!(nearest("dependancies", keys), Some("dependencies"));
        assert_eq!(nearest("chanels", keys), Some("channels"));
        assert_eq!(nearest("zzz", keys), None);
    }

    #[test]
    fn neither_the_word_itself_nor_a_compound_of_it_is_suggested() {
        assert_eq!(nearest("rapidsai", ["rapidsai"]), None);
        assert_eq!(nearest("python", ["python-hdfs", "python-pip"]), None);
        assert_eq!(nearest("libxm", ["libxml2"]), Some("libxml2"));
        assert_eq!(nearest("user", ["username", "password"]), Some("username"));
        assert_eq!(nearest("Read", ["read", "list"]), Some("read"));
    }
}

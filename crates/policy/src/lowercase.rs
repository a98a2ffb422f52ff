//! Lower case, as the servers write it.

/// Lowers each character by itself, as Go's `strings.ToLower` does: `İ` becomes `i`, and a sigma at
/// the end of a word is like any other one. `str::to_lowercase` differs in both.
pub(crate) fn lowered(text: &str) -> String {
    let lower = |c: char| match c {
        'İ' => 'i',
        // No other character has a lower case of several characters.
        c => c.to_lowercase().next().unwrap_or(c),
    };
    text.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_is_lowered_by_itself() {
        assert_eq!(lowered("ΑΣ"), "ασ");
        assert_eq!(lowered("İstanbul"), "istanbul");
        assert_eq!(lowered("ẞ Ä DŽ K"), "ß ä dž k");
    }

    #[test]
    fn only_one_character_has_a_lower_case_of_several() {
        let several = (char::MIN..=char::MAX).filter(|c| c.to_lowercase().count() > 1);
        assert_eq!(several.collect::<Vec<_>>(), ['İ']);
    }
}

//! Reads curl commands as a shell and curl read them: the samples of the vendor and those that the server prints.

/// The request that a curl command sends.
#[derive(Debug, Clone, Default)]
pub struct Curl {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Curl {
    /// Reads a command from its first word to its end.
    pub fn parse(command: &str) -> Self {
        let words = words(command);
        let mut words = words.into_iter();
        assert_eq!(words.next().as_deref(), Some("curl"));
        let mut curl = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-s" | "--location" => {}
                "--request" => assert_eq!(words.next().as_deref(), Some("POST")),
                "-H" | "--header" => {
                    let header = words.next().unwrap();
                    let (name, value) = header.split_once(':').unwrap();
                    curl.headers.push((name.to_owned(), value.trim().to_owned()));
                }
                "-d" | "--data" | "--data-raw" => curl.body = words.next().unwrap(),
                url => {
                    assert!(curl.url.is_empty() && !url.starts_with('-'), "{url}");
                    url.clone_into(&mut curl.url);
                }
            }
        }
        curl
    }

    /// Gives the command that begins at the start of a text and ends with its quoted body.
    pub fn first_of(text: &str) -> Self {
        let flag = ["--data-raw '", "--data '", "-d '"].into_iter().filter_map(|flag| {
            let start = text.find(flag)?;
            Some(start + flag.len())
        });
        let body = flag.min().expect("a curl with a body");
        let end = body + text[body..].find('\'').unwrap() + 1;
        Self::parse(&text[..end])
    }

    /// Gives the path of the URL.
    pub fn path(&self) -> &str {
        let (_, rest) = self.url.split_once("://").unwrap();
        &rest[rest.find('/').unwrap()..]
    }

    /// Gives the host and port of the URL.
    pub fn authority(&self) -> &str {
        let (_, rest) = self.url.split_once("://").unwrap();
        &rest[..rest.find('/').unwrap()]
    }
}

/// Splits a command into words: single quotes, and a backslash before the end of a line.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                word.get_or_insert_default().extend(characters.by_ref().take_while(|inner| *inner != '\''))
            }
            '\\' => assert_eq!(characters.next(), Some('\n'), "only ends of lines are escaped"),
            character if character.is_whitespace() => words.extend(word.take()),
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

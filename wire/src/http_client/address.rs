//! Addresses of services, as people write them.
//!
//! Never: takes one with a password or a query in it.

use hyper::Uri;

/// Where a service listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    pub is_encrypted: bool,
    pub host: String,
    pub port: u16,
    /// Host and port as a request names them.
    pub authority: String,
    /// What is asked for there.
    pub path: String,
}

impl Address {
    /// The http or https address `url` with `below` behind its path; `None` for anything else.
    pub(crate) fn parse(url: &str, below: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let is_encrypted = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        if uri.query().is_some() || authority.host().is_empty() {
            return None;
        }
        let port = authority.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = if below.is_empty() { uri.path().to_owned() } else { format!("{}{below}", uri.path().trim_end_matches('/')) };
        Some(Self { is_encrypted, host, port, authority: authority.as_str().to_owned(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let address = |url| Address::parse(url, "/add-checkpoint");
        let of = |is_encrypted, host: &str, port, authority: &str, path: &str| {
            Some(Address { is_encrypted, host: host.into(), port, authority: authority.into(), path: path.into() })
        };
        assert_eq!(address("http://w.example"), of(false, "w.example", 80, "w.example", "/add-checkpoint"));
        assert_eq!(address("https://w.example:8443/a/b/"), of(true, "w.example", 8443, "w.example:8443", "/a/b/add-checkpoint"));
        assert_eq!(address("http://[::1]:7433"), of(false, "::1", 7433, "[::1]:7433", "/add-checkpoint"));
        let whole = |url| Address::parse(url, "").map(|address| address.path);
        assert_eq!([whole("http://t.example"), whole("http://t.example/tsr/")], [Some("/".into()), Some("/tsr/".into())]);
        for bad in
            ["", "w.example", "ftp://w.example", "http://", "http://u:p@w.example", "http://w.example/?q", "http:/x", "http://w .example"]
        {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}

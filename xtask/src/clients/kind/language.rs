//! What comes with programming languages.

use super::{Build, Kind};
use crate::setup::Need;

pub(super) const ALL: &[Kind] = &[
    Kind::new(
        "Perl IO::Socket::SSL",
        &[Need::perl_module("libio-socket-ssl-perl", "IO::Socket::SSL")],
        "perl -MIO::Socket::SSL -e 'print IO::Socket::SSL->VERSION'",
        r#"perl -MIO::Socket::SSL -e '
            my %how = (PeerHost => $ENV{NAME}, PeerPort => 443, SSL_ca_file => $ENV{CERT});
            my $socket = IO::Socket::SSL->new(%how) or die "$!, $SSL_ERROR";
            print $socket "GET / HTTP/1.0\r\nHost: $ENV{NAME}\r\n\r\n";
            print <$socket>;
        '"#,
    ),
    Kind::new(
        "Ruby net/http",
        &[Need::program("ruby", "ruby")],
        "ruby --version",
        r#"ruby -rnet/http -e '
            how = { use_ssl: true, ca_file: ENV["CERT"] }
            Net::HTTP.start(ENV["NAME"], 443, **how) { |http| puts http.get("/").body }
        '"#,
    ),
    Kind::new(
        "PHP streams",
        &[Need::program("php-cli", "php")],
        "php --version",
        r#"php -r '
            $how = stream_context_create(["ssl" => ["cafile" => getenv("CERT")]]);
            echo file_get_contents(getenv("URL"), false, $how);
        '"#,
    ),
    Kind::new(
        "Node.js https",
        NODE,
        "node --version",
        r#"NODE_EXTRA_CA_CERTS=$CERT node -e '
            require("https").get(process.env.URL, answer => answer.pipe(process.stdout))
        '"#,
    ),
    Kind::new(
        "Node.js fetch",
        NODE,
        "node --version",
        r"NODE_EXTRA_CA_CERTS=$CERT node -e '
            fetch(process.env.URL).then(answer => answer.text()).then(console.log)
        '",
    ),
    Kind::new(
        "Go net/http",
        &[Need::program("golang-go", "go")],
        "go version",
        r#""$TOOLS/fetch-go""#,
    )
    .built(Build::Source {
        file: "fetch.go",
        text: include_str!("../source/fetch.go"),
        line: "GOTOOLCHAIN=local GOCACHE=$TOOLS/go-cache go build -o fetch-go fetch.go",
    }),
    Kind::new(
        "Java HttpClient",
        &[Need::program("default-jdk-headless", "javac")],
        "java --version",
        r#"java -cp "$TOOLS" Fetch"#,
    )
    .built(Build::Source {
        file: "Fetch.java",
        text: include_str!("../source/Fetch.java"),
        line: "javac Fetch.java",
    }),
];

const NODE: &[Need] = &[Need::program("nodejs", "node")];

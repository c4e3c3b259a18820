//! Servers on the edge that speak TLS, with certificates of their own.

use super::{EDGE, Lab, Service, raw, run, wait_until};
use anyhow::Result;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// openssl's server, which answers pages, one connection at a time.
///
/// *Errors*: openssl can't be started.
pub fn tls_server(lab: &Lab, port: u16) -> Result<Service> {
    let (key, certificate) = certificate(lab, "edge.test")?;
    let mut serve = Command::new("openssl");
    serve.args(["s_server", "-www", "-quiet", "-accept", &port.to_string(), "-key"]);
    serve.arg(key).arg("-cert").arg(certificate);
    let server = Service::start(serve.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let address: IpAddr = EDGE.parse()?;
    wait_until("the TLS server listens", || std::net::TcpStream::connect((address, port)).is_ok())?;
    Ok(server)
}

/// An nginx, known by a name; it answers `a page`.
///
/// *Errors*: nginx can't be started.
pub fn nginx(lab: &Lab, port: u16, name: &str) -> Result<Service> {
    nginx_with_log(lab, port, name, "access_log off;")
}

/// The same with an access log: what nginx's configuration has to say of one. Nobody gets in at
/// `/login`.
///
/// *Errors*: nginx can't be started.
pub fn nginx_with_log(lab: &Lab, port: u16, name: &str, log: &str) -> Result<Service> {
    let dir = lab.dir.path();
    let (key, certificate) = certificate(lab, name)?;
    let config = format!(
        "daemon off; master_process off; user root; pid {dir}/pid; error_log {dir}/error.log;\nevents {{}}\n\
         http {{ {log} client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;\n\
         fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n\
         server {{ listen {port} ssl; listen [::]:{port} ssl; ssl_certificate {};\n\
         ssl_certificate_key {}; location / {{ return 200 'a page'; }}\n\
         location = /login {{ return 401 'no'; }} location = /welcome {{ return 200 'in'; }} }} }}\n",
        certificate.display(),
        key.display(),
        dir = dir.display(),
    );
    let file = dir.join("nginx.conf");
    fs::write(&file, config)?;
    let mut nginx = Command::new("nginx");
    nginx.arg("-c").arg(&file).arg("-p").arg(dir).stderr(Stdio::null());
    let server = Service::start(&mut nginx)?;
    let listening = format!("sport = :{port}");
    wait_until("nginx listens", || raw::sockets("listening", &listening).is_ok_and(|n| n > 0))?;
    Ok(server)
}

/// A key, and a certificate for a name that it signed itself.
fn certificate(lab: &Lab, name: &str) -> Result<(PathBuf, PathBuf)> {
    let (key, certificate) = (lab.dir.path().join("key.pem"), lab.dir.path().join("cert.pem"));
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
    make.args(["-days", "2", "-subj", "/CN=edge.test", "-keyout"]).arg(&key);
    make.args(["-addext", &format!("subjectAltName=DNS:{name}"), "-out"]).arg(&certificate);
    run(&mut make)?.success()?;
    Ok((key, certificate))
}

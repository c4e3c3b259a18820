// Fetches $URL once with net/http, trusting the certificate in $CERT alone.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	certificate, err := os.ReadFile(os.Getenv("CERT"))
	if err != nil {
		panic(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificate)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: trusted}
	answer, err := (&http.Client{Transport: transport}).Get(os.Getenv("URL"))
	if err != nil {
		panic(err)
	}
	io.Copy(os.Stdout, answer.Body)
	fmt.Println(answer.Status)
}

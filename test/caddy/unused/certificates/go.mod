module github.com/smallstep/certificates

go 1.26.0

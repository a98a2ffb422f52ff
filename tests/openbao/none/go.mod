// Stands in for a module that nothing here needs; ../go.mod says which.
module github.com/openbao/openbao/api/auth/userpass/v2
go 1.24

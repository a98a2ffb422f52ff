# What the token of the job in CI gets.
path "secret/data/demo/db_creds" {
  capabilities = ["read"]
}

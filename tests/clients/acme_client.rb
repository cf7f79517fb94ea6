# All that Debian's ruby-acme-client does with an account and an order: DIRECTORY ROOT FOLDER NAME... Tokens go into FOLDER; the chain is
# printed, and the last certificate is revoked.
require "acme-client"
require "openssl"

directory, root, folder, *names = ARGV

def settle(thing, waiting)
  50.times do
    return thing.status unless waiting.include?(thing.status)
    sleep 0.1
    thing.reload
  end
  abort "still #{thing.status}"
end

client = Acme::Client.new(private_key: OpenSSL::PKey::EC.generate("prime256v1"), directory: directory,
                          connection_options: { ssl: { ca_file: root } })
account = client.new_account(contact: "mailto:ruby@example.com", terms_of_service_agreed: true)
order = client.new_order(identifiers: names)
order.authorizations.each do |authorization|
  challenge = authorization.http
  File.write(File.join(folder, challenge.token), challenge.file_content)
  challenge.request_validation
  status = settle(challenge, %w[pending processing])
  abort "the challenge is #{status}: #{challenge.error}" unless status == "valid"
end
key = OpenSSL::PKey::EC.generate("prime256v1")
order.finalize(csr: Acme::Client::CertificateRequest.new(private_key: key, names: names, subject: { common_name: names.first }))
settle(order, %w[ready processing])
chain = order.certificate
puts chain
client.revoke(certificate: OpenSSL::X509::Certificate.new(chain).to_pem) or abort "not revoked"
account.update(contact: "mailto:other@example.com")
account.contact == ["mailto:other@example.com"] or abort "contact"
client.account_key_change(new_private_key: OpenSSL::PKey::RSA.new(2048))
client.account.deactivate or abort "not deactivated"

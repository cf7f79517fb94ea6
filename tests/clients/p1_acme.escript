#!/usr/bin/env escript
%% p1_acme, which ejabberd gets its certificates by. Arguments: the directory's URL, the root, the folder for http-01, the type of the
%% keys, names. The chain goes to standard output; then the certificate is ordered anew, and that one revoked with its key.

pem(Chain) ->
    [public_key:pem_encode([{'Certificate', public_key:pkix_encode('OTPCertificate', C, otp), not_encrypted}]) || C <- Chain].

issue(Url, Names, Account, Options) ->
    {ok, #{cert_chain := Chain, cert_key := Key}} = p1_acme:issue(Url, Names, Account, Options),
    {Chain, Key}.

main([Url, Root, Folder, Type | Names]) ->
    {ok, _} = application:ensure_all_started(p1_acme),
    Kind = list_to_atom(Type),
    Answer = fun(Challenges) ->
                     [ok = file:write_file(filename:join(Folder, Token), Key) || #{token := Token, key := Key} <- Challenges]
             end,
    {ok, Text} = file:read_file(Root),
    Roots = [public_key:pkix_decode_cert(Der, otp) || {'Certificate', Der, _} <- public_key:pem_decode(Text)],
    Options = [{contact, ["mailto:p1@example.com"]}, {cert_type, Kind}, {ca_certs, Roots}, {challenge_fun, Answer}, {timeout, 30000}],
    Account = p1_acme:generate_key(Kind),
    {Chain, _} = issue(Url, Names, Account, Options),
    io:put_chars(pem(Chain)),
    {[Second | _], Key} = issue(Url, Names, Account, Options),
    ok = p1_acme:revoke(Url, Second, Key).

#include "ceremony/x509/trial.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "ceremony/x509/crl_issue.h"
#include "ceremony/x509/extension_value.h"
#include "ceremony/x509/issue.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

// 2026-01-01 00:00:00 UTC.
constexpr std::int64_t kTrialTime = 1767225600;

struct TrialKeyRow {
  base::KeyAlgorithm algorithm;
  std::string_view spki;  // base64
};
// Made once by `openssl genpkey`, which threw the private keys away.
constexpr std::array<TrialKeyRow, 7> kTrialKeys = {{
    {base::KeyAlgorithm::kEcP256,
     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYbI6QZRLu0AVBpiSRCKOgtalUWuv03MJgOlSfnTcd0dtQH6w8xuFhAmBDqXuiyN/"
     "0TS44nnXpZ9Z+OOlj5Nh/A=="},
    {base::KeyAlgorithm::kEcP384,
     "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEiBvEouYWI06ZYVxg9Be0R6HuUCChXBmZHUmFPHOFxN7q2j3RpNphDfKHffCPNV8RR9Ak"
     "H2cM3P88wIsh8R6nBNc77jLX2gwRwL9TSVwp/sL944lQ6AXa89d5CZNk/Osi"},
    {base::KeyAlgorithm::kEcP521,
     "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQB+3nx2AV8HYMb/3jC2rM/lCvNfCHNcHAXAXs+WJ3VVLbl+klON2EPfhCztC97HW0H"
     "PiQieManYof+Y/resgsPGGcBJPkVz2U7mpaIwjkddRfP3MOOfDWgFJLChsJs4nLbTuIdQgw2GxLm1EUbhpvw48dg6r8bM9sxhqjz"
     "q8YbMP3oJAs="},
    {base::KeyAlgorithm::kEd25519, "MCowBQYDK2VwAyEAvkLZ0sp2lxVqgml9QbREcrGq9UsuZT9Mbjhc4RF/fcc="},
    {base::KeyAlgorithm::kRsa2048,
     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0qrJeOZ4ytVB9PFCokUoopYA8S27+FncSXrOGTdP2jJSrHEM+fhofoxH"
     "iyNkg0QPdSgrmPrbEMSIaDLzbdn5sv9LamujMvgBBmqnOzlRoNQVBjhaDWCWgnKLJAzBM4C4NKjjAOvfBOYIDrxL+zTV7whCqVHd"
     "I7BFwy9kfVgLCEtvhcAqhuLQi2+FzFDGzG4QRGY1nbgX2Uj1vRd6ImG7oITLN2xduuKRwkugvc9hdqp/ikzCRyPYeIWPxMxQKUBf"
     "BF8GPxW9Crw7EAAo6HfN1VVhJZ29GCNiuq3lnjatYT+ZGgrK7DIsT5WycGn1VdfVPkj1tOPsVMS2xB0WwJryjwIDAQAB"},
    {base::KeyAlgorithm::kRsa3072,
     "MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEA0Ih+F/LzOI/mBkOcWrK1lDpmGapKp3WVWLix9Hk8zb/KWwfHGGgtU1z2"
     "rZRkQ4fRqSWOZ8XhWfDirjv1rvWEpyanwEHX5HzAg4+VcpzUZ3zagN6EJsY+CyZ4EGebCk5BO76ttMfw4+6XF3uu5Bf2l0ajrRiE"
     "+ba0vMTeiVMqbRi9GP6IWVQe2dWXu8P2tzxiCa+r+DF/uR2WPa/FTpKH79uYsAdYfCGhCwvl3uDY1TaBvHtz0pJZscYUGSXdpR+r"
     "RuG3wHH+pkddg2QHjIXJZ92mdUmvZtglkSEOMsFeGnCPlD+nmORkKWQu+vVSqvvUgnKqbllqt+BxMOCbzyljeSunHoZ6iv/ysJWf"
     "JfYuJuB4o8+1yTLnBitE4C9jnecySfqNqJD4uz7Lo5kG9m5zs7COWKEoyrJ8tVb0SkTAsUCrbhIeZbWamg1lSbHFVvVp++XRg904"
     "+qkNed3Nf5ED1O0chq1cf6e3edl4rGDMO47i85Iu/u2iRL5UZ4RJXwlbAgMBAAE="},
    {base::KeyAlgorithm::kRsa4096,
     "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAu5g7hYko3H6FfJ+oTEYSDsQUjTGiEffsedfPr6szv4luA/SJPaQkzxO2"
     "Xnbl/MUceJ6H/FHtGwPC0Y0EbMJv5jajGGj/73y6rdEMUzBJyaxKjJSSRdxRZUsI3THm8Sa+uWAuBo3OYhTxWoZr6cjJY0gGfIbb"
     "vu/OpEn9TpZhFZm+R8VV5lopat7xh8PgcL6F8vVcd6qsmIsGeOOQQsSCzFswUvecw3rL0YVEURwBx+kZDBzT45Lgv4GKBjIpyIap"
     "De3JwYHhnNTcwBB7hm+R3tDmV72pkcX0yaeYEskAsZoX2qdBPU+iliC2ekGhHbhYLTg6pfMGty/FHizO+p50QzhGQH23Ywvfcqb6"
     "n3EpVA2/mDxE7l2MjvqHpT0I4l3mnxz9Qil+PTqnfGqKXfEG1DSGV3FZaVuEWF5gAKwH2Qt7j6KQjpZVuYt49x8OU+iL39ng58hw"
     "vdjO9c/Fq6ZVghXzzxOR6mHi4Eu3AHLnhe28ptNI1gjVJyg+pP/dQrl4wOqU7xAu1nYhiSLQcYc0Ll+ZYHc2lqeYgK/w+okW2Cv9"
     "xkDT5t/ejxkDYUWCJmJ8k35QnNShJfOe1kwS+Ujp7u9LADjvONEARP4QB8dZzqi6k6cQzy4FjXAX8m9nDGXb8bCfXsmtjXws1heg"
     "c+jTyMnJzvvtSlls9dk47I2Tzg8CAwEAAQ=="},
}};

// One of 65,536 serial numbers.
base::Bytes SerialOf(unsigned octets, std::size_t number) {
  base::Bytes serial(std::max(octets, 3U), 0x41);
  serial.rbegin()[1] = static_cast<std::uint8_t>(number >> 8);
  serial.rbegin()[0] = static_cast<std::uint8_t>(number);
  return serial;
}

Authority AuthorityOf(const base::Bytes& issuer_name) {
  // CN=Issuer as UTF8String.
  static const base::Bytes stand_in = base::HexDecode("3011310f300d06035504030c06497373756572").value();
  const base::Bytes& name = issuer_name.empty() ? stand_in : issuer_name;
  const base::PublicKey key = TrialKey(base::KeyAlgorithm::kEcP256);
  return {name, KeyIdentifier(KeyBitsOf(key.spki()), 2), SerialOf(16, 0), name};
}

}  // namespace

base::PublicKey TrialKey(base::KeyAlgorithm algorithm) {
  for (const TrialKeyRow& row : kTrialKeys) {
    if (row.algorithm == algorithm) return base::PublicKey::FromSpki(base::Base64Decode(row.spki).value()).value();
  }
  std::abort();  // a test goes through all
}

base::Result<void> TryCertificate(const Profile& profile, const TrialOrder& order) {
  TbsInput input{TrialKey(order.subject_key)};
  if (!profile.self_signed) input.authority = AuthorityOf(order.issuer_name);
  input.subject = order.subject;
  input.serial = SerialOf(profile.serial_octets, 1);
  input.not_before = kTrialTime;
  input.extensions = order.extensions;
  input.alternative_names = order.alternative_names;
  KC_ASSIGN_OR_RETURN(Tbs tbs, BuildTbs(profile, input));
  KC_ASSIGN_OR_RETURN(LintedTbs linted, LintTbs(std::move(tbs)));
  const auto compared = CompareTbs(std::move(linted), profile, input);
  return compared.ok() ? base::Result<void>() : base::Result<void>(compared.error());
}

base::Result<void> TryRequest(const Profile& profile, const TrialOrder& order) {
  const RequestInput input{TrialKey(order.subject_key), order.subject, order.alternative_names};
  KC_ASSIGN_OR_RETURN(RequestInfo info, BuildRequestInfo(profile, input));
  KC_ASSIGN_OR_RETURN(LintedRequestInfo linted, LintRequestInfo(std::move(info)));
  const auto compared = CompareRequestInfo(std::move(linted), profile, input);
  return compared.ok() ? base::Result<void>() : base::Result<void>(compared.error());
}

base::Result<void> TryCrl(const CrlProfile& profile, const base::Bytes& issuer_name,
                          const std::vector<std::optional<RevocationReason>>& reasons) {
  CrlInput input;
  input.authority = AuthorityOf(issuer_name);
  input.this_update = kTrialTime;
  input.number = 1;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    Revocation revocation{SerialOf(16, i + 1), kTrialTime, reasons[i], std::nullopt};
    if (profile.invalidity_date == Use::kRequired) revocation.invalid_since = kTrialTime;
    input.revocations.push_back(std::move(revocation));
  }
  KC_ASSIGN_OR_RETURN(TbsCertList tbs, BuildTbsCertList(profile, input));
  KC_ASSIGN_OR_RETURN(LintedCertList linted, LintTbsCertList(std::move(tbs)));
  const auto compared = CompareTbsCertList(std::move(linted), profile, input);
  return compared.ok() ? base::Result<void>() : base::Result<void>(compared.error());
}

}  // namespace ceremony::x509

#include "ceremony/x509/lint_webpki.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

#include "ceremony/x509/profile.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509::lint {
namespace {

// 2.23.140.1.1 and the arc 2.23.140.1.2, as they stand in a policy's OID.
constexpr std::array<std::uint8_t, 5> kExtendedValidation = {0x67, 0x81, 0x0c, 0x01, 0x01};
constexpr std::array<std::uint8_t, 5> kServers = {0x67, 0x81, 0x0c, 0x01, 0x02};

constexpr std::int64_t kSecondsOfDay = 86400;
constexpr std::size_t kFewestSerialOctets = 8;
constexpr std::int64_t kFewestDays = 2922;
constexpr std::int64_t kMostDays = 9132;

// The elements that follow each other in `content`, as far as it is sound.
class Elements final {
 public:
  explicit Elements(base::ByteView content) : rest_(content) {}
  bool Next(Element& element) {
    element = ReadElement(rest_).element;
    if (element.whole.empty()) return false;
    rest_ = rest_.subspan(element.whole.size());
    return true;
  }

 private:
  base::ByteView rest_;
};

base::ByteView SequenceIn(const ExtensionView& extension) { return ReadElement(extension.value).element.content; }

class WebPkiLinter final {
 public:
  WebPkiLinter(const TbsView& tbs, const ExtensionSummary& summary, Findings& findings)
      : tbs_(tbs), summary_(summary), findings_(findings) {}

  void Run() && {
    if (tbs_.serial.size() < kFewestSerialOctets)
      findings_.Add(
          RuleId::kWebSerial01, tbs_.serial,
          fmt::format("the serial number has {} octets, {} are the fewest", tbs_.serial.size(), kFewestSerialOctets));
    Subject();
    const std::uint16_t bits = summary_.key_usage.value_or(0);
    const ExtensionView* usage = tbs_.Find(Oid::kKeyUsage);
    if (usage != nullptr && (~bits & (kKeyCertSign | kCrlSign)) != 0)
      findings_.Add(RuleId::kWebUsage01, usage->whole,
                    fmt::format("keyUsage of a CA is {} where keyCertSign and cRLSign must be", KeyUsageText(bits)));
    AuthorityKeyIdentifier();
    for (const Oid oid : {Oid::kCrlDistributionPoints, Oid::kAuthorityInfoAccess}) {
      if (const ExtensionView* extension = tbs_.Find(oid)) Places(*extension);
    }
    if (IsSelfIssued(tbs_)) {
      Root();
    } else {
      Issuing();
    }
  }

 private:
  void Subject() {
    constexpr std::array<Oid, 3> kParts = {Oid::kCountry, Oid::kOrganization, Oid::kCommonName};
    for (const Oid part : kParts) {
      NameReader reader(tbs_.subject);
      bool there = false;
      while (const auto attribute = reader.Next()) there = there || FindOid(attribute->type) == part;
      if (!there)
        findings_.Add(RuleId::kWebName01, tbs_.subject, fmt::format("the subject has no {}", FactsOf(part).name));
    }
  }

  void AuthorityKeyIdentifier() {
    const ExtensionView* extension = tbs_.Find(Oid::kAuthorityKeyIdentifier);
    if (extension == nullptr) return;  // X509-AKI-01 speaks where it must be there
    const base::ByteView content = SequenceIn(*extension);
    const Element first = ReadElement(content).element;
    if (first.identifier != tag::Context(0) || first.whole.size() != content.size())
      findings_.Add(RuleId::kWebKeyId01, extension->whole, "authorityKeyIdentifier is not keyIdentifier alone");
  }

  void Root() {
    if (const ExtensionView* purposes = tbs_.Find(Oid::kExtendedKeyUsage))
      findings_.Add(RuleId::kWebRoot01, purposes->whole, "a root has extKeyUsage");
    if (const ExtensionView* policies = tbs_.Find(Oid::kCertificatePolicies))
      findings_.Add(RuleId::kWebRoot02, policies->whole, "a root has certificatePolicies");
    if (summary_.path_length)
      findings_.Add(RuleId::kWebRoot02, tbs_.Find(Oid::kBasicConstraints)->whole,
                    fmt::format("a root has the path length {}", *summary_.path_length));
    if (!tbs_.not_before.seconds || !tbs_.not_after.seconds) return;
    // Both ends count (RFC 5280 4.1.2.5), and what is begun is a day.
    const std::int64_t seconds = *tbs_.not_after.seconds - *tbs_.not_before.seconds + 1;
    const std::int64_t days = (seconds + kSecondsOfDay - 1) / kSecondsOfDay;
    if (days < kFewestDays || days > kMostDays)
      findings_.Add(RuleId::kWebTime01, tbs_.not_after.whole, fmt::format("a root is valid for {} days", days));
  }

  void Issuing() {
    for (const Oid oid : {Oid::kCertificatePolicies, Oid::kExtendedKeyUsage, Oid::kCrlDistributionPoints}) {
      const ExtensionView* extension = tbs_.Find(oid);
      if (extension == nullptr || extension->critical)
        findings_.Add(
            RuleId::kWebIssuer01, extension == nullptr ? tbs_.extensions_whole : extension->whole,
            fmt::format("{} of an issuing CA is {}", FactsOf(oid).name, extension == nullptr ? "missing" : "critical"));
    }
    if (const ExtensionView* purposes = tbs_.Find(Oid::kExtendedKeyUsage)) Purposes(*purposes);
    if (const ExtensionView* policies = tbs_.Find(Oid::kCertificatePolicies)) Policies(*policies);
  }

  void Purposes(const ExtensionView& extension) {
    bool servers = false;
    Elements purposes(SequenceIn(extension));
    Element purpose;
    while (purposes.Next(purpose)) {
      const auto known = FindOid(purpose.content);
      servers = servers || known == Oid::kServerAuth;
      if (known != Oid::kServerAuth && known != Oid::kClientAuth)
        findings_.Add(RuleId::kWebPurpose01, purpose.whole,
                      fmt::format("extKeyUsage of an issuing CA has {}", OidText(purpose.content)));
    }
    if (!servers)
      findings_.Add(RuleId::kWebPurpose01, extension.whole, "extKeyUsage of an issuing CA has no serverAuth");
  }

  void Policies(const ExtensionView& extension) {
    bool any = false;
    PolicyReader policies(tbs_);
    while (const auto policy = policies.Next()) {
      any = any || FindOid(policy->oid) == Oid::kAnyPolicy;
      Elements qualifiers(policy->qualifiers);
      Element qualifier;
      while (qualifiers.Next(qualifier)) {
        const base::ByteView type = ReadElement(qualifier.content).element.content;
        if (FindOid(type) != Oid::kCpsQualifier)
          findings_.Add(RuleId::kWebPolicy01, qualifier.whole,
                        fmt::format("a policy has the qualifier {}", OidText(type)));
      }
    }
    if (!any && !IsWebPki(tbs_))
      findings_.Add(RuleId::kWebPolicy01, extension.whole,
                    "certificatePolicies has neither a policy for servers nor anyPolicy");
  }

  // Where lists of revoked certificates, and the issuer's own, are to be had.
  void Places(const ExtensionView& extension) {
    const bool points = extension.known == Oid::kCrlDistributionPoints;
    Elements list(SequenceIn(extension));
    Element element;
    while (list.Next(element)) {
      if (!points) {
        const Element method = ReadElement(element.content).element;
        Place(ReadElement(element.content.subspan(method.whole.size())).element, extension);
        continue;
      }
      const Element name = ReadElement(element.content).element;
      const Element full = ReadElement(name.content).element;
      if (name.identifier != tag::ContextConstructed(0) || full.identifier != tag::ContextConstructed(0) ||
          name.whole.size() != element.content.size()) {
        findings_.Add(RuleId::kWebUri01, element.whole, "a distribution point is not a full name alone");
        continue;
      }
      Elements names(full.content);
      Element uri;
      while (names.Next(uri)) Place(uri, extension);
    }
  }

  void Place(const Element& name, const ExtensionView& extension) {
    constexpr unsigned kUri = 6;
    const std::string_view text = base::AsText(name.content);
    if (name.identifier == tag::Context(kUri) && text.starts_with("http://")) return;
    findings_.Add(RuleId::kWebUri01, name.whole,
                  fmt::format("{} has a name that is no http URI", FactsOf(*extension.known).name));
  }

  const TbsView& tbs_;
  const ExtensionSummary& summary_;
  Findings& findings_;
};

}  // namespace

bool IsWebPki(const TbsView& tbs) {
  return NamesPolicyBelow(tbs, kExtendedValidation) || NamesPolicyBelow(tbs, kServers);
}

void LintWebPki(const TbsView& tbs, const ExtensionSummary& summary, Findings& findings) {
  if (summary.ca) WebPkiLinter(tbs, summary, findings).Run();
}

}  // namespace ceremony::x509::lint

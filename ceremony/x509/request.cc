#include "ceremony/x509/request.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/certificate.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/extension_value.h"
#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/pem.h"
#include "ceremony/x509/rule_id.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

// What a request asks for: a rule of the profile and the value it has before the issuer is known.
struct Asked {
  const ExtensionRule* rule;
  base::Bytes value;
};
ExtensionSources SourcesOf(const RequestInput& input) {
  return {KeyBitsOf(input.subject_key.spki()), nullptr, nullptr,
          input.alternative_names.empty() ? nullptr : &input.alternative_names};
}
base::Result<std::vector<Asked>> AskedOf(const Profile& profile, const RequestInput& input) {
  std::vector<Asked> all;
  const ExtensionSources sources = SourcesOf(input);
  for (const ExtensionRule& rule : profile.extensions) {
    if (std::holds_alternative<AuthorityKeyIdentifierRule>(rule.value)) continue;  // the issuer's to say
    KC_ASSIGN_OR_RETURN(std::optional<base::Bytes> value, EncodeExtensionValue(profile, rule, sources));
    if (value) all.push_back({&rule, *std::move(value)});
  }
  return all;
}

}  // namespace

SignatureAlgorithm SignatureAlgorithmOf(base::KeyAlgorithm key) {
  for (const SignatureAlgorithmFacts& facts : SignatureAlgorithms()) {
    if (Fits(facts.algorithm, key)) return facts.algorithm;
  }
  return SignatureAlgorithm::kEcdsaSha256;  // not reached: every key of the table has one
}

struct RequestInfo::State {
  base::Bytes der;
  RequestInfoView view;
};

base::Result<RequestInfo> RequestInfo::Parse(base::ByteView bytes) {
  KC_ASSIGN_OR_RETURN(auto state, parts::Parsed<State>("certification request info", bytes, ParseRequestInfo));
  return RequestInfo(std::move(state));
}

base::ByteView RequestInfo::der() const { return state_->der; }
const RequestInfoView& RequestInfo::view() const { return state_->view; }
base::Sha256Digest RequestInfo::Digest() const { return base::Sha256Of(base::ByteView(state_->der)); }

base::Result<RequestInfo> BuildRequestInfo(const Profile& profile, const RequestInput& input) {
  if (const auto findings = CheckProfile(profile); !findings.empty())
    return base::Refusal(std::string(findings.front().facts().id), findings.front().message);
  KC_RETURN_IF_ERROR(CheckKeyAllowed(profile, input.subject_key.algorithm()));
  KC_RETURN_IF_ERROR(CheckAlternativeNames(profile, input.alternative_names));
  KC_ASSIGN_OR_RETURN(const base::Bytes subject, BuildName(profile, input.subject));
  KC_ASSIGN_OR_RETURN(const std::vector<Asked> asked, AskedOf(profile, input));
  DerWriter writer;
  writer.Nested(tag::kSequence, [&] {
    writer.Integer(0);
    writer.Raw(subject);
    writer.Raw(input.subject_key.spki());
    writer.Nested(tag::ContextConstructed(0), [&] {
      if (asked.empty()) return;
      writer.Nested(tag::kSequence, [&] {
        writer.ObjectIdentifier(Oid::kExtensionRequest);
        writer.Nested(tag::kSet, [&] {
          writer.Nested(tag::kSequence, [&] {
            for (const Asked& each : asked) {
              writer.Nested(tag::kSequence, [&] {
                if (const auto type = OidContent(each.rule->type)) writer.Value(tag::kOid, *type);
                if (each.rule->critical) writer.Boolean(true);
                writer.Value(tag::kOctetString, each.value);
              });
            }
          });
        });
      });
    });
  });
  return RequestInfo::Parse(writer.view());
}

Comparison CompareRequestWithProfile(const RequestInfoView& info, const Profile& profile, const RequestInput& input,
                                     const std::uint8_t* file_start) {
  Comparison comparison("request");
  const auto add = [&](std::string field, std::string says, std::string has, bool equal, base::ByteView where) {
    const std::size_t offset = where.data() == nullptr ? 0 : static_cast<std::size_t>(where.data() - file_start);
    comparison.Add({std::move(field), std::move(says), std::move(has), equal, offset});
  };
  const auto name = BuildName(profile, input.subject);
  add("subject", name ? NameText(*name) : name.error().message, NameText(info.subject),
      name.ok() && std::ranges::equal(*name, info.subject), info.subject);
  add("public key",
      fmt::format("{}, SPKI SHA-256 {}", base::FactsOf(input.subject_key.algorithm()).title,
                  input.subject_key.SpkiSha256Hex()),
      fmt::format("{}, SPKI SHA-256 {}", KeyText(info.spki), base::Sha256Hex(info.spki.whole)),
      std::ranges::equal(input.subject_key.spki(), info.spki.whole), info.spki.whole);
  const auto asked = AskedOf(profile, input);
  if (!asked) {
    add("extensions", asked.error().message, std::to_string(info.extension_count), false, info.attributes_whole);
    return comparison;
  }
  const auto spell = [](const ExtensionView& extension) {
    return (extension.critical ? "critical, " : "") + ExtensionText(extension);
  };
  const ExtensionSources sources = SourcesOf(input);
  for (std::size_t i = 0; i < asked->size(); ++i) {
    const ExtensionRule& rule = *(*asked)[i].rule;
    const auto text = RuleText(profile, rule, sources);
    const ExtensionView* has = i < info.extension_count ? &info.extension_list.at(i) : nullptr;
    const auto type = OidContent(rule.type);
    const bool equal = has != nullptr && type.ok() && std::ranges::equal(has->oid, *type) &&
                       has->critical == rule.critical && std::ranges::equal(has->value, (*asked)[i].value);
    add("extension " + rule.type, (rule.critical ? "critical, " : "") + text.value_or("any value"),
        has == nullptr ? "(absent)" : spell(*has), equal, has == nullptr ? info.attributes_whole : has->whole);
  }
  for (std::size_t i = asked->size(); i < info.extension_count; ++i) {
    const ExtensionView& extension = info.extension_list.at(i);
    add("extension " + OidText(extension.oid), "(absent)", spell(extension), false, extension.whole);
  }
  return comparison;
}

base::Result<LintedRequestInfo> LintRequestInfo(RequestInfo info) {
  KC_RETURN_IF_ERROR(parts::CheckClean("certification request info", LintRequestInfoBytes(info.der())));
  return LintedRequestInfo(std::move(info));
}

base::Result<ComparedRequestInfo> CompareRequestInfo(LintedRequestInfo linted, const Profile& profile,
                                                     const RequestInput& input) {
  const RequestInfo& info = linted.info();
  Comparison comparison = CompareRequestWithProfile(info.view(), profile, input, info.der().data());
  if (!comparison.AllEqual())
    return parts::Differs(RuleId::kCompare01, "certification request info and profile " + profile.name, comparison);
  const base::Bytes unsigned_request =
      parts::Assemble(info.der(), SignatureAlgorithmOf(input.subject_key.algorithm()), {});
  if (const auto read = OpensslReadsRequest(unsigned_request, RequestCheck::kDecode); !read)
    return base::Refusal("COMPARE-02", "certification request info: " + read.error().message);
  return ComparedRequestInfo(std::move(linted), std::move(comparison));
}

base::Result<ApprovedRequestInfo> ApproveRequestInfo(ComparedRequestInfo compared, const base::Sha256Digest& approved) {
  KC_RETURN_IF_ERROR(parts::CheckApproved("certification request info", approved, compared.Digest()));
  KC_ASSIGN_OR_RETURN(base::PublicKey key, base::PublicKey::FromSpki(compared.info().view().spki.whole));
  return ApprovedRequestInfo(std::move(compared), std::move(key));
}

struct Request::State {
  base::Bytes der;
  RequestView view;
};

base::Result<Request> Request::Parse(base::ByteView der) {
  KC_ASSIGN_OR_RETURN(auto state, parts::Parsed<State>("certification request", der, ParseRequest));
  return Request(std::move(state));
}

base::Result<Request> Request::FromPem(std::string_view pem) {
  KC_ASSIGN_OR_RETURN(const base::Bytes der, PemDecode("CERTIFICATE REQUEST", pem));
  return Parse(der);
}

base::ByteView Request::der() const { return state_->der; }
const RequestView& Request::view() const { return state_->view; }
std::string Request::Pem() const { return PemEncode("CERTIFICATE REQUEST", state_->der); }
std::string Request::Sha256Hex() const { return base::Sha256Hex(base::ByteView(state_->der)); }
base::Result<base::PublicKey> Request::SubjectKey() const { return base::PublicKey::FromSpki(info().spki.whole); }

base::Result<void> Request::VerifyPossession() const {
  KC_ASSIGN_OR_RETURN(const base::PublicKey key, SubjectKey());
  const RequestView& all = view();
  return parts::Verify({all.info.whole, nullptr, &all.algorithm, all.signature, all.signature_unused_bits}, key);
}

base::Result<Request> FinishRequest(const ApprovedRequestInfo& approved, base::ByteView signature) {
  KC_RETURN_IF_ERROR(parts::CheckSignatureForm(approved.subject_key(), signature));
  KC_ASSIGN_OR_RETURN(Request request, Request::Parse(parts::Assemble(approved.to_be_signed(),
                                                                      approved.signature_algorithm(), signature)));
  KC_RETURN_IF_ERROR(parts::CheckInside("certification request", request.info().whole, approved.to_be_signed()));
  auto verified = request.VerifyPossession();
  if (!verified) return std::move(verified).error().Prefixed("the certification request's signature");
  KC_RETURN_IF_ERROR(parts::CheckClean("certification request", LintRequest(request.der())));
  if (const auto read = OpensslReadsRequest(request.der(), RequestCheck::kDecodeAndVerify); !read)
    return base::Refusal("OPENSSL-02", "certification request: " + read.error().message);
  return request;
}

}  // namespace ceremony::x509

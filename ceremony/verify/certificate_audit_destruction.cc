// Certificates of destruction (`keyceremony-destruction/1`; docs/keys.md).
#include <fmt/format.h>

#include "ceremony/record/log_audit.h"
#include "ceremony/script/strict_json.h"
#include "ceremony/verify/certificate_audit.h"

namespace ceremony::verify {
namespace {

using record::Quoted;
using script::Node;

// What an earlier ceremony has accounted for is listed with a method that begins like this.
constexpr std::string_view kEarlier = "earlier: ";

std::string TextOf(const Node& object, std::string_view name) {
  const Node* value = object.Find(name);
  return value != nullptr && value->kind() == Node::Kind::kText ? value->text() : std::string();
}

}  // namespace

void CertificateAudit::OnCall(const record::CallingStep& step, const record::Scanner& call, std::uint64_t entry,
                              record::Findings& findings) {
  calls_.OnCall(step, call, entry, findings);
  if (step.kind != "key.destroy" || call.fields().type != record::EntryType::kIntent) return;
  if (auto going = CallAudit::PrivateObjectOf(call)) now_.going.insert(*std::move(going));
}

// CheckDestroyed: a copy went by a call of its step, or by one that an earlier step made, which did not come to its
// end.
void CertificateAudit::CheckDestroyed(const Look& look) {
  static constexpr std::string_view kSame[] = {"key", "token", "serial", "object_id"};
  if (FindKind(look.step.kind) == nullptr || look.step.is_partly_shown || look.Text("method") != "C_DestroyObject")
    return;
  const std::string token = look.Text("token"), object_id = look.Text("object_id");
  const CallAudit::Made made = calls_.WhetherMade(look.step, "C_DestroyObject", token, object_id);
  const bool was_going = now_.going.erase({token, object_id}) > 0;
  if (made != CallAudit::Made::kNot) CheckIsOneOf(look, kSame);
  if (made == CallAudit::Made::kMay || (made == CallAudit::Made::kNot && was_going)) return;
  if (made == CallAudit::Made::kNot && !now_.is_whole && !now_.keys.contains(look.Text("key"))) return Elsewhere(look);
  look.Find("CALL-COPY",
            fmt::format("is said to be gone from {}, where {}", Quoted(token),
                        made == CallAudit::Made::kNot ? "no step has destroyed it" : "C_DestroyObject has failed"));
}

void CertificateAudit::OnCopyDestroyed(const Look& look) {
  CheckDestroyed(look);
  gone_.insert(
      {look.Text("key"), look.Text("token"), look.Text("serial"), look.Text("object_id"), look.Text("method")});
}

void CertificateAudit::OnKeyDestroyed(const Look& look) {
  if (look.effect.Find("artefact").empty()) return;  // it claims none
  const std::optional<std::string> bytes = FileOf(look, "sha256", script::kMaxFileBytes);
  if (!bytes) return;
  script::Problems problems;
  const auto document = script::Document::Parse("certificate of destruction", *bytes, problems);
  const Node* key = document ? document->root().Find("key") : nullptr;
  const Node* copies = document ? document->root().Find("copies") : nullptr;
  if (key == nullptr || key->kind() != Node::Kind::kObject || copies == nullptr || copies->kind() != Node::Kind::kArray)
    return look.Find("CRT-FORM", "has a certificate of destruction that is none: it has no key, or no copies");

  const std::string name = look.Text("key"), spki_sha256 = look.Text("spki_sha256");
  if (TextOf(*key, "name") != name || TextOf(*key, "spki_sha256") != spki_sha256) {
    look.Find("CRT-DESTROYED",
              fmt::format("has the public key {}, its certificate of destruction is of {} with {}", Quoted(spki_sha256),
                          Quoted(TextOf(*key, "name")), Quoted(TextOf(*key, "spki_sha256"))));
  }
  if (const auto made = now_.keys.find(name); made != now_.keys.end() && made->second.spki_sha256 != spki_sha256)
    look.Find("CRT-KEY", fmt::format("was made with the public key {}, and destroyed with {}", made->second.spki_sha256,
                                     Quoted(spki_sha256)));
  std::set<Gone> missing;
  for (auto gone = gone_.lower_bound(Gone{name, {}, {}, {}, {}}); gone != gone_.end() && gone->key == name; ++gone)
    missing.insert(*gone);
  for (const Node* copy : copies->children()) {
    if (copy->kind() != Node::Kind::kObject || TextOf(*copy, "method").starts_with(kEarlier)) continue;
    const Gone listed{name, TextOf(*copy, "token"), TextOf(*copy, "serial"), TextOf(*copy, "object_id"),
                      TextOf(*copy, "method")};
    if (missing.erase(listed) == 0)
      look.Find("CRT-DESTROYED",
                fmt::format("has a certificate of destruction with a copy on {} ({}), which no step destroyed",
                            Quoted(listed.token), Quoted(listed.method)));
  }
  for (const Gone& gone : missing)
    look.Find("CRT-DESTROYED", "has a certificate of destruction without the copy on " + Quoted(gone.token));
}

}  // namespace ceremony::verify

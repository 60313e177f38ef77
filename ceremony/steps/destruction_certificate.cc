#include "ceremony/steps/destruction_certificate.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/key_copies.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;

constexpr const char* kLimits =
    "PKCS#11 shows that no object of this key answers on the tokens named here, after their modules were "
    "reinitialised. It cannot show that the token has overwritten the memory in which the key was, that no backup of "
    "the token's storage exists, or that no copy was ever made by other means than those that are in this archive.";

json PeopleWith(StepContext& context, const char* role) {
  json people = json::array();
  for (const quorum::Attendee* person : context.attendance().WithRole(role))
    people.push_back({{"id", person->person}, {"name", person->name}});
  return people;
}

json CertificatesOf(const estate::Estate& estate, const estate::Key& key) {
  json certificates = json::array();
  for (const estate::Certificate& certificate : estate.certificates()) {
    if (certificate.key != key.name) continue;
    certificates.push_back({{"name", certificate.name},
                            {"subject", certificate.subject},
                            {"serial", certificate.serial},
                            {"sha256", certificate.sha256},
                            {"not_after", certificate.not_after}});
  }
  return certificates;
}

// Also the copies that earlier ceremonies have accounted for.
json CopiesOf(const estate::Key& key, const std::vector<DestroyedCopy>& copies) {
  json list = json::array();
  for (const DestroyedCopy& copy : copies) {
    json item = {{"token", copy.token},   {"serial", copy.serial}, {"object_id", copy.object_id}, {"kind", copy.kind},
                 {"method", copy.method}, {"on", copy.on},         {"tests", copy.tests}};
    if (!copy.evidence.empty()) item.update({{"evidence_sha256", copy.evidence}, {"reason", copy.reason}});
    list.push_back(std::move(item));
  }
  for (const estate::Copy& copy : key.copies) {
    if (copy.in_place()) continue;
    if (!copy.transport_key.empty()) {
      list.push_back({{"token", copy.token},
                      {"serial", ""},
                      {"object_id", ""},
                      {"kind", copy.kind},
                      {"method", fmt::format("earlier: transport key {}, which alone opened the file, was destroyed",
                                             copy.transport_key)},
                      {"on", copy.ended.time},
                      {"record", copy.ended.ceremony},
                      {"file_sha256", copy.sha256},
                      {"tests", json::array()}});
      continue;
    }
    list.push_back({{"token", copy.token},
                    {"serial", copy.serial},
                    {"object_id", copy.object_id},
                    {"kind", copy.kind},
                    {"method", "earlier: " + copy.state},
                    {"on", copy.ended.time},
                    {"record", copy.ended.ceremony},
                    {"tests", json::array()}});
  }
  return list;
}

}  // namespace

std::string DestructionCertificate(StepContext& context, const estate::Key& key,
                                   const std::vector<DestroyedCopy>& copies, const std::string& early) {
  const json all = CopiesOf(key, copies);
  json use = nullptr;
  if (key.use) {
    use = {{"count", key.use->count},
           {"first_use", key.use->first_use},
           {"last_use", key.use->last_use},
           {"stated_by", key.use->stated_by},
           {"statement_sha256", key.use->statement}};
  }
  json deviations = json::array();
  if (!early.empty()) deviations.push_back("destroyed before the end of its hold: " + early);
  for (const DestroyedCopy& copy : copies) {
    if (copy.method == "elsewhere")
      deviations.push_back(
          fmt::format("the copy on token {} is accounted for by a document: {}", copy.token, copy.reason));
  }
  const json certificate = {
      {"format", "keyceremony-destruction/1"},
      {"estate", context.inputs().script.estate},
      {"ceremony", context.inputs().script.id},
      {"mode", script::NameOf(context.inputs().binding->environment)},
      {"on", Now(context)},
      {"authority",
       {{"script_sha256", context.inputs().script.file.sha256},
        {"policy", context.inputs().policy.id},
        {"policy_version", context.inputs().policy.version}}},
      {"key",
       {{"name", key.name},
        {"algorithm", key.algorithm},
        {"spki_sha256", key.spki_sha256},
        {"domain", key.domain},
        {"made_on", key.since.time},
        {"made_in", key.since.ceremony},
        {"state", key.state},
        {"deactivated_on", key.deactivated_on},
        {"deactivated_because", key.deactivated_because},
        {"cap_reached_on", key.cap_reached_on},
        {"minutes_from_cap_to_deactivation", key.minutes_since_cap},
        {"hold_until", key.hold_until},
        {"certificates", CertificatesOf(context.estate(), key)},
        {"use", std::move(use)}}},
      {"copies", all},
      {"people",
       {{"administrators", PeopleWith(context, "administrator")},
        {"custodians", PeopleWith(context, "custodian")},
        {"security_officers", PeopleWith(context, "security-officer")},
        {"witnesses", PeopleWith(context, "witness")},
        {"auditors", PeopleWith(context, "auditor")}}},
      {"statement", fmt::format("The archive knows {} of this key, by every record up to this one. Each of them is "
                                "listed above and is gone. No other copy exists by these records.",
                                all.size() == 1 ? std::string("one copy") : fmt::format("{} copies", all.size()))},
      {"limits", kLimits},
      {"deviations", std::move(deviations)},
      {"signatures", "the record's checkpoint after this step, and its addendum, are signed over this file's digest"}};
  return certificate.dump(2) + "\n";
}

}  // namespace ceremony::steps

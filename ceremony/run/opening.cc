#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/policy.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/trust.h"
#include "ceremony/run/ceremony.h"
#include "ceremony/run/first_login.h"
#include "ceremony/run/unopened.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/commissioning.h"
#include "ceremony/steps/mechanism_needs.h"
#include "ceremony/steps/token_limits.h"
#include "hsm/base/encoding.h"
#include "hsm/describe.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

json TokenFacts(const std::string& name, const hsm::TokenInfo& info, const std::string& label) {
  return {{"name", name},
          {"label", label},
          {"serial", info.serial},
          {"manufacturer", info.manufacturer},
          {"model", info.model},
          {"firmware", info.firmware_version},
          {"initialised", info.initialised()}};
}

class LookAhead final : public steps::PreflightContext {
 public:
  explicit LookAhead(Ceremony& ceremony)
      : ceremony_(ceremony), blank_(steps::TokensToInitialise(ceremony.inputs().script)) {}
  const script::Inputs& inputs() const override { return ceremony_.inputs(); }
  const estate::Estate& estate() const override { return ceremony_.estate(); }
  room::Terminal& terminal() override { return ceremony_.terminal(); }
  base::Clock& clock() override { return ceremony_.world().clock; }
  base::Result<std::shared_ptr<hsm::Token>> FindToken(const std::string& token) override {
    if (blank_.contains(token)) return std::shared_ptr<hsm::Token>();
    return ceremony_.tokens().Locate(token);
  }
  base::Result<steps::BlankToken> FindBlankToken(const std::string& token) override {
    return ceremony_.tokens().LocateBlank(token);
  }

 private:
  Ceremony& ceremony_;
  std::set<std::string> blank_;
};

base::Result<json> DescribeTokens(Ceremony& ceremony) {
  json tokens = json::array();
  const std::set<std::string> blank = steps::TokensToInitialise(ceremony.inputs().script);
  for (const script::TokenBinding& bound : ceremony.inputs().binding->tokens) {
    const bool used = ceremony.inputs().script.FindToken(bound.name) != nullptr || bound.name == ceremony.RecordToken();
    if (!used) continue;
    if (blank.contains(bound.name)) {
      KC_ASSIGN_OR_RETURN(const steps::BlankToken token, ceremony.tokens().LocateBlank(bound.name));
      tokens.push_back(TokenFacts(bound.name, token.info, bound.label));
    } else {
      KC_ASSIGN_OR_RETURN(const auto token, ceremony.tokens().Locate(bound.name));
      tokens.push_back(TokenFacts(bound.name, token->info(), token->info().label));
    }
  }
  return tokens;
}

base::Result<json> DescribeModules(Ceremony& ceremony) {
  json modules = json::array();
  for (const TokenRoom::LoadedModule& loaded : ceremony.tokens().modules()) {
    KC_ASSIGN_OR_RETURN(const std::string digest, loaded.module->FileSha256());
    modules.push_back({{"path", loaded.path},
                       {"sha256", digest},
                       {"version", loaded.module->info().library_version},
                       {"manufacturer", loaded.module->info().manufacturer},
                       {"description", loaded.module->info().description},
                       {"cryptoki", loaded.module->info().cryptoki_version}});
  }
  return modules;
}

base::Result<record::Policy> RecordPolicy(const script::Roster& roster, const script::Quorum& quorum) {
  std::vector<record::Policy::Person> people;
  for (const script::Person* person : roster.MembersOf(quorum)) {
    KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(person->sign_key));
    KC_ASSIGN_OR_RETURN(base::PublicKey key, base::PublicKey::FromSpki(spki));
    KC_ASSIGN_OR_RETURN(record::VerifierKey verifier,
                        record::VerifierKey::Make(record::PersonKeyName(roster.estate, person->id), std::move(key)));
    people.push_back({person->id, {std::move(verifier)}});
  }
  return record::Policy::OfPeople(quorum.name, static_cast<std::size_t>(quorum.m), people);
}

// What the script, and the key of the record, ask of the tokens that are there. Tokens that the script initialises are
// checked later, by token.verify.
base::Result<void> CheckMechanisms(Ceremony& ceremony, LookAhead& ahead) {
  const script::Inputs& inputs = ceremony.inputs();
  for (const script::ScriptToken& planned : inputs.script.tokens) {
    if (inputs.binding->Find(planned.name) == nullptr) continue;
    KC_ASSIGN_OR_RETURN(const auto token, ahead.FindToken(planned.name));
    if (token == nullptr) continue;
    KC_RETURN_IF_ERROR(steps::CheckMechanisms(*token, steps::MechanismsNeeded(inputs, ceremony.estate(), planned.name),
                                              "the script cannot run on this token"));
  }
  const std::string& name = ceremony.RecordToken();
  KC_ASSIGN_OR_RETURN(const auto token, ceremony.tokens().Locate(name));
  const std::string key = "of the record";
  return steps::CheckMechanisms(
      *token, {steps::NeedOfKeyPair(name, kLogKeyAlgorithm, key), steps::NeedOfSignature(name, kLogKeyAlgorithm, key)},
      "let another token be the record_token of the binding");
}

}  // namespace

base::Result<void> Preflight(Ceremony& ceremony) {
  if (ceremony.roster().FindQuorum(record::kWitnessQuorum) == nullptr) {
    return base::Refusal(
        "QUORUM-RECORD-01",
        fmt::format("the roster defines no quorum {}, which witnesses every record", record::kWitnessQuorum),
        "define it under \"quorums\" of the roster");
  }
  KC_RETURN_IF_ERROR(DescribeTokens(ceremony));
  LookAhead ahead(ceremony);
  for (const script::Section& section : ceremony.inputs().script.sections) {
    for (const script::Step& step : section.steps) {
      const steps::StepKind* kind = steps::Catalogue().Find(step.kind);
      if (kind == nullptr) continue;
      auto possible = kind->Preflight(step, ahead);
      if (!possible.ok()) return std::move(possible).error().Prefixed(fmt::format("step {}", step.id));
    }
  }
  KC_RETURN_IF_ERROR(CheckMechanisms(ceremony, ahead));
  KC_RETURN_IF_ERROR(FirstLogin(ceremony.tokens(), ceremony.terminal(), ceremony.RecordToken()));
  return {};
}

namespace {

// A record that another process has begun since this archive was read would have keys that nobody here knows of. It has
// the number of this one, or one above.
base::Result<void> CheckAlone(Ceremony& ceremony) {
  KC_ASSIGN_OR_RETURN(const auto files, ceremony.world().storage.List(""));
  for (const record::FileInfo& file : files) {
    const auto number = record::RecordNumber(file.name);
    if (file.kind != record::FileKind::kFolder || !number || file.name == ceremony.folder() ||
        number < record::RecordNumber(ceremony.folder()))
      continue;
    return base::Refusal("ARCHIVE-BUSY-01",
                         fmt::format("the ceremony {} was begun in this archive since it was read", file.name),
                         "one ceremony at a time: let that one end, and begin again");
  }
  return {};
}

// Before, so that nothing is left behind; after, so that of two that begin at once neither overlooks the other.
base::Result<std::unique_ptr<record::Writer>> CreateAlone(Ceremony& ceremony) {
  KC_RETURN_IF_ERROR(CheckAlone(ceremony));
  KC_ASSIGN_OR_RETURN(auto writer, record::Writer::Create({ceremony.world().storage, ceremony.world().clock,
                                                           ceremony.folder(), ceremony.mode()}));
  auto alone = CheckAlone(ceremony);
  if (alone.ok()) return writer;
  writer.reset();
  if (alone.error().code == base::ErrorCode::kRefused)
    KC_RETURN_IF_ERROR(PutAside(ceremony.world(), ceremony.folder()));
  return std::move(alone).error();
}

// Returns the digests of the inputs by name.
base::Result<json> StoreInputs(const script::Inputs& inputs, const LogKeyPlan& plan, record::Writer& writer) {
  json digests = json::object();
  KC_ASSIGN_OR_RETURN(const auto files, inputs.Files());
  for (const auto& [name, file] : files) {
    KC_ASSIGN_OR_RETURN(digests[name], writer.StoreInput(name, base::AsBytes(file->bytes)));
  }
  // Last of the inputs, and before the key: whoever finds it knows what may be on the token.
  KC_ASSIGN_OR_RETURN(digests[std::string(kLogKeyInput)],
                      writer.StoreInput(kLogKeyInput, base::AsBytes(plan.ToJson().dump(1) + "\n")));
  return digests;
}

base::Result<void> MakeLogKey(Ceremony& ceremony, hsm::Session& session, const LogKeyPlan& plan) {
  const auto busy = ceremony.terminal().ShowBusy("Making the key that signs this record");
  KC_ASSIGN_OR_RETURN(std::unique_ptr<TokenSigner> made, TokenSigner::Generate(session, plan));
  ceremony.SetLogKey(std::move(made));
  return {};
}

// What is there before the record is made, as `open` tells it.
base::Result<json> DescribeSurroundings(Ceremony& ceremony) {
  const script::Inputs& inputs = ceremony.inputs();
  json open = {{"ceremony", inputs.script.id},
               {"title", inputs.script.title},
               {"script", inputs.script.file.name},
               {"environment", script::NameOf(inputs.binding->environment)},
               {"classification", script::NameOf(inputs.script.classification)}};
  KC_ASSIGN_OR_RETURN(open["tokens"], DescribeTokens(ceremony));
  KC_ASSIGN_OR_RETURN(open["modules"], DescribeModules(ceremony));
  KC_ASSIGN_OR_RETURN(open["program"], ceremony.world().describe_program());
  return open;
}

void AddFacts(const OpeningFacts& facts, json& open) {
  open["previous"] = facts.previous;
  if (!facts.left_behind.is_null()) open["left_behind"] = facts.left_behind;
  if (!facts.set_aside.is_null()) open["set_aside"] = facts.set_aside;
  if (!facts.mended.empty()) open["put_back"] = facts.mended;
  if (!facts.findings.empty()) open["findings"] = facts.findings;
}

}  // namespace

base::Result<void> OpenRecord(Ceremony& ceremony, const OpeningFacts& facts) {
  const script::Inputs& inputs = ceremony.inputs();
  const script::Quorum& quorum = *ceremony.roster().FindQuorum(record::kWitnessQuorum);
  KC_ASSIGN_OR_RETURN(const record::Policy policy, RecordPolicy(ceremony.roster(), quorum));
  KC_ASSIGN_OR_RETURN(const std::string origin, record::NewOrigin(inputs.script.estate, inputs.script.id));
  KC_ASSIGN_OR_RETURN(hsm::Session * session, ceremony.tokens().Session(ceremony.RecordToken()));
  KC_ASSIGN_OR_RETURN(json open, DescribeSurroundings(ceremony));
  KC_ASSIGN_OR_RETURN(const LogKeyPlan plan,
                      PlanLogKey(*session, ceremony.RecordToken(), origin, inputs.script.file.name));

  KC_ASSIGN_OR_RETURN(std::unique_ptr<record::Writer> writer, CreateAlone(ceremony));
  KC_ASSIGN_OR_RETURN(open["inputs"], StoreInputs(inputs, plan, *writer));
  KC_RETURN_IF_ERROR(MakeLogKey(ceremony, *session, plan));
  KC_ASSIGN_OR_RETURN(const TokenSigner* log_key, ceremony.LogKey());
  KC_ASSIGN_OR_RETURN(const record::Policy with_log,
                      record::Policy::Parse("log " + log_key->key().Text() + "\n" + policy.Text()));
  KC_RETURN_IF_ERROR(writer->StorePolicy(with_log));
  ceremony.TakeWriter(std::move(writer));
  open["origin"] = origin;
  open["log_key"] = base::Base64Encode(log_key->key().public_key().spki());
  open["log_key_attributes"] = {{"token", plan.token}, {"label", plan.label}, {"object_id", plan.id}};
  AddFacts(facts, open);
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kOpen, std::move(open)));
  return {};
}

}  // namespace ceremony::run

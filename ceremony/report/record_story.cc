#include "ceremony/report/record_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/characters.h"
#include "ceremony/record/script_plan.h"
#include "ceremony/report/json_text.h"
#include "ceremony/script/script.h"
#include "ceremony/steps/catalogue.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::report {
namespace {

using nlohmann::json;

constexpr std::string_view kSaltedMark = "{\"_sd\":";

// Values of an `observe` entry that are told elsewhere, or are nobody's to read.
const std::set<std::string>& PlumbingFields() {
  static const std::set<std::string> names{"v",    "seq",  "type",      "time",       "mono", "salt",
                                           "mode", "step", "inventory", "mechanisms", "rows", "what"};
  return names;
}

// ItemOf finds an item by its name, and adds a new one.
template <typename Item>
Item& ItemOf(const std::string& name, std::string Item::*member, std::map<std::string, std::size_t>& places,
             std::vector<Item>& items) {
  const auto [place, is_new] = places.try_emplace(name, items.size());
  if (is_new) items.emplace_back().*member = name;
  return items[place->second];
}

}  // namespace

std::vector<NameValue> FactsOf(const json& entry) {
  std::vector<NameValue> facts;
  for (const auto& [name, value] : entry.items()) {
    if (PlumbingFields().contains(name)) continue;
    if (name == "facts" && value.is_object()) {
      for (const auto& [fact, said] : value.items()) facts.emplace_back(fact, InWords(said));
      continue;
    }
    std::string words = InWords(value);
    if (!words.empty() && words.size() <= 200) facts.emplace_back(name, std::move(words));
  }
  return facts;
}

void RecordStory::AddEvidence(std::string source, const Moment& at, const std::string& step) {
  data_.evidence.push_back({std::move(source), at.entry, step});
}

PersonSeen& RecordStory::PersonOf(const std::string& id) { return ItemOf(id, &PersonSeen::id, people_, data_.people); }
StepStory& RecordStory::StepOf(const std::string& id) { return ItemOf(id, &StepStory::id, steps_, data_.steps); }
KeyStory& RecordStory::KeyOf(const std::string& name) { return ItemOf(name, &KeyStory::name, keys_, data_.keys); }
TokenSeen& RecordStory::TokenOf(const std::string& name) {
  return ItemOf(name, &TokenSeen::name, tokens_, data_.tokens);
}

namespace {

// KindTitles are the titles that kinds of steps give to those that the script gives none: a step that is not reached
// has no entry with a title. Empty for the script of another program.
std::map<std::string, std::string> KindTitles(std::string_view bytes) {
  std::map<std::string, std::string> titles;
  script::LoadedFile file;
  file.bytes = bytes;
  const auto script = script::ParseScript(std::move(file), steps::Catalogue());
  if (!script.ok()) return titles;
  for (const script::Section& section : script->sections) {
    for (const script::Step& step : section.steps) titles.emplace(step.id, steps::TitleOf(step));
  }
  return titles;
}

}  // namespace

void RecordStory::TakeScript(std::string_view bytes) {
  const json script = json::parse(bytes, nullptr, false);
  if (!script.is_object()) return;
  if (data_.title.empty()) data_.title = TextOf(script, "title");
  data_.purpose = TextOf(script, "purpose");
  const json& sections = MemberOf(script, "sections");
  if (!sections.is_array()) return;
  const std::map<std::string, std::string> titles = KindTitles(bytes);
  for (const json& section : sections) {
    data_.sections.push_back({TextOf(section, "id"), TextOf(section, "title"), TextOf(section, "say")});
    const json& steps = MemberOf(section, "steps");
    if (!steps.is_array()) continue;
    for (const json& planned : steps) {
      StepStory& step = StepOf(TextOf(planned, "id"));
      if (step.planned) continue;  // an id twice: the verdict says so
      step.planned = true;
      step.number = data_.steps.size();
      step.kind = TextOf(planned, "do");
      step.title = TextOf(planned, "title");
      if (const auto title = titles.find(step.id); title != titles.end()) step.title = title->second;
      step.say = TextOf(planned, "say");
      step.quorum = TextOf(planned, "quorum");
      step.section = data_.sections.back().id;
    }
  }
}

void RecordStory::TakeRoster(std::string_view bytes) {
  const json roster = json::parse(bytes, nullptr, false);
  const json& people = MemberOf(roster, "people");
  if (!people.is_array()) return;
  // Where nobody was taken down, nobody is known to be missing.
  const bool taken = std::ranges::any_of(data_.people, [](const PersonSeen& person) { return !person.stays.empty(); });
  const bool keeps_employers =
      std::ranges::any_of(data_.salted, [](const SaltedField& field) { return field.name == "employer"; });
  for (const json& each : people) {
    const std::string id = TextOf(each, "id"), name = TextOf(each, "name");
    const auto seen = people_.find(id);
    if (seen == people_.end()) {
      if (taken && TextOf(each, "state") == "active") data_.absent.push_back(name.empty() ? id : name);
      continue;
    }
    PersonSeen& person = data_.people[seen->second];
    if (person.name.empty()) person.name = name;
    if (person.employer.empty() && !keeps_employers) person.employer = TextOf(each, "employer");
    if (person.roles.empty()) person.roles = TextsOf(each, "roles");
  }
}

void RecordStory::Take(std::string_view line) {
  const std::uint64_t seq = data_.entries++;
  // A published bundle has the leaf hash of an entry that is withheld in its place.
  if (record::IsLowerHex(line, 64)) {
    ++data_.withheld;
    return;
  }
  json entry = record::ParseBounded(line);
  if (!entry.is_object()) {
    ++data_.unreadable;
    return;
  }
  if (line.find(kSaltedMark) != std::string_view::npos) TellSalted(entry, seq, openings_, data_.salted);
  const std::string type = TextOf(entry, "type");
  const std::string time = TextOf(entry, "time");
  const Moment at{seq, time, MicrosOf(time)};
  ++data_.entries_by_type[type];
  if (at.micros != 0) {
    if (!data_.began.known()) data_.began = at;
    data_.ended = at;
  }
  if (type != "checkpoint" && type != "intent" && type != "done")
    AddEvidence("type:" + type, at, TextOf(entry, "step"));
  if (type == "open") return OnOpen(entry, at);
  if (type == "attend") return OnAttend(entry, at);
  if (type == "depart") return OnDepart(entry, at);
  if (type == "step") return OnStep(entry, at);
  if (type == "request") return OnRequest(entry, at);
  if (type == "cosign") return OnCosign(entry, at);
  if (type == "done") return OnDone(entry);
  if (type == "observe") return OnObserve(entry, at);
  if (type == "artefact") return OnArtefact(entry, at);
  if (type == "note" || type == "deviation" || type == "refusal" || type == "recover") return OnRemark(entry, at, type);
  if (type == "close") return OnClose(entry);
}

void RecordStory::OnOpen(const json& entry, const Moment& at) {
  data_.ceremony = TextOf(entry, "ceremony");
  if (const std::string title = TextOf(entry, "title"); !title.empty()) data_.title = title;
  data_.origin = TextOf(entry, "origin");
  data_.estate = data_.origin.substr(0, data_.origin.find('/'));
  data_.mode = TextOf(entry, "mode");
  data_.environment = TextOf(entry, "environment");
  data_.classification = TextOf(entry, "classification");
  data_.script_name = TextOf(entry, "script");
  if (!data_.script_name.empty()) AddEvidence("open:script", at, "");
  if (const auto der = base::Base64Decode(TextOf(entry, "log_key")); der.ok())
    data_.log_key_sha256 = base::Sha256Hex(*der);
  const json& inputs = MemberOf(entry, "inputs");
  if (inputs.is_object()) {
    for (const auto& [name, digest] : inputs.items()) {
      data_.inputs.push_back({name, "", InWords(digest), "", -1, at.entry});
      if (name == data_.script_name) data_.script_sha256 = InWords(digest);
      if (name.ends_with(".policy.json")) {
        data_.policy_name = name;
        data_.policy_sha256 = InWords(digest);
      }
    }
  }
  const json& program = MemberOf(entry, "program");
  data_.program = TextOf(program, "name");
  data_.program_version = TextOf(program, "version");
  data_.program_sha256 = TextOf(program, "sha256");
  data_.libraries = ShortValues(MemberOf(program, "libraries"));
  const json& previous = MemberOf(entry, "previous");
  if (previous.is_object())
    data_.previous = fmt::format("{} ({})", TextOf(previous, "origin"),
                                 base::Counted(IntegerOf(previous, "size"), "entry", "entries"));
  const json& left = MemberOf(entry, "left_behind");
  if (left.is_object()) {
    data_.left_behind = fmt::format("{}, as it was after {}, INCOMPLETE: {}", TextOf(left, "folder"),
                                    base::Counted(IntegerOf(left, "size"), "entry", "entries"), TextOf(left, "reason"));
  }
  const json& modules = MemberOf(entry, "modules");
  if (modules.is_array()) {
    for (const json& module : modules) {
      data_.modules.push_back({TextOf(module, "path"), TextOf(module, "sha256"), TextOf(module, "version"),
                               TextOf(module, "manufacturer") + " " + TextOf(module, "description")});
      AddEvidence("open:modules", at, "");
    }
  }
  const json& tokens = MemberOf(entry, "tokens");
  if (tokens.is_array()) {
    for (const json& seen : tokens) {
      TokenSeen& token = TokenOf(TextOf(seen, "name"));
      token.label = TextOf(seen, "label");
      token.serial = TextOf(seen, "serial");
      token.manufacturer = TextOf(seen, "manufacturer");
      token.model = TextOf(seen, "model");
      token.firmware = TextOf(seen, "firmware");
      AddEvidence("open:tokens", at, "");
    }
  }
  const json& findings = MemberOf(entry, "findings");
  if (findings.is_array()) {
    for (const json& finding : findings)
      data_.findings.emplace_back(TextOf(finding, "rule"), TextOf(finding, "message"));
  }
}

PersonSeen& RecordStory::PersonIn(const json& entry) {
  PersonSeen& person = PersonOf(TextOf(entry, "person"));
  if (const std::string name = TextOf(entry, "name"); !name.empty()) person.name = name;
  return person;
}

void RecordStory::OnDepart(const json& entry, const Moment& at) {
  PersonSeen& person = PersonIn(entry);
  if (person.stays.empty() || person.stays.back().until.known()) return;
  person.stays.back().until = at;
  person.stays.back().reason = TextOf(entry, "reason");
}

void RecordStory::OnAttend(const json& entry, const Moment& at) {
  PersonSeen& person = PersonIn(entry);
  person.employer = TextOf(entry, "employer");
  if (std::vector<std::string> roles = TextsOf(entry, "roles"); !roles.empty()) person.roles = std::move(roles);
  if (const std::string role = TextOf(entry, "role"); !role.empty() && person.roles.empty()) person.roles = {role};
  for (const std::string& role : person.roles) AddEvidence("role:" + role, at, TextOf(entry, "step"));
  person.simulated = person.simulated || FlagOf(entry, "simulated");
  if (const std::string deputy = TextOf(entry, "deputy_for"); !deputy.empty()) person.deputy_for = deputy;
  const std::string from = TextOf(entry, "from");
  Stay stay{at, {}, TextOf(entry, "presence"), from.empty() ? from : from + "-" + TextOf(entry, "until"), ""};
  if (!person.stays.empty() && !person.stays.back().until.known()) {
    Stay& last = person.stays.back();
    // Who stays as they were stands in for somebody, or for other hours.
    if (last.presence == stay.presence) {
      last.hours = std::move(stay.hours);
      return;
    }
    last.until = at;
  }
  person.stays.push_back(std::move(stay));
}

void RecordStory::OnStep(const json& entry, const Moment& at) {
  const std::string id = TextOf(entry, "id");
  const std::string phase = TextOf(entry, "phase");
  StepStory& step = StepOf(id);
  if (step.kind.empty()) step.kind = TextOf(entry, "do");
  if (phase == "begin") {
    if (const std::string title = TextOf(entry, "title"); !title.empty()) step.title = title;
    if (step.section.empty()) step.section = TextOf(entry, "section");
    step.parameters = ShortValues(MemberOf(entry, "parameters"), 400);
    if (!step.attempts.empty() && !step.attempts.back().end.known()) step.attempts.back().end = at;
    step.attempts.push_back({at, {}, "open", "", "", 0, 0, {}});
    step_ = id;
    return;
  }
  if (step.attempts.empty()) step.attempts.push_back({at, {}, "open", "", "", 0, 0, {}});
  Attempt& attempt = step.attempts.back();
  attempt.end = at;
  attempt.outcome = phase == "end" ? "ended" : phase;
  const json& error = MemberOf(entry, "error");
  attempt.error = TextOf(error, "message");
  attempt.rule = TextOf(error, "rule");
  const json& calls = MemberOf(entry, "calls");
  attempt.calls = IntegerOf(calls, "count");
  attempt.call_micros = IntegerOf(calls, "microseconds");
  attempt.failed_calls = ShortValues(MemberOf(calls, "failed"));
  if (phase == "end") AddEvidence("do:" + step.kind, at, id);
  step_.clear();
  const json& effects = MemberOf(entry, "effects");
  if (!effects.is_array()) return;
  for (const json& effect : effects) OnEffect(effect, at, step);
}

void RecordStory::OnRequest(const json& entry, const Moment& at) {
  const json& quorum = MemberOf(entry, "quorum");
  Approval approval;
  approval.step = TextOf(entry, "step");
  approval.quorum = TextOf(quorum, "name");
  approval.m = IntegerOf(quorum, "m");
  approval.n = IntegerOf(quorum, "n");
  approval.statement = TextOf(entry, "statement");
  approval.subject_sha256 = TextOf(entry, "subject_sha256");
  approval.subject = ShortValues(MemberOf(entry, "subject"));
  approval.at = at;
  requests_[at.entry] = data_.approvals.size();
  data_.approvals.push_back(std::move(approval));
}

void RecordStory::OnCosign(const json& entry, const Moment& at) {
  const std::string person = TextOf(entry, "person");
  ++PersonOf(person).approvals;
  const auto asked = requests_.find(static_cast<std::uint64_t>(IntegerOf(entry, "request", -1)));
  if (asked == requests_.end()) return;
  data_.approvals[asked->second].signatures.push_back({person, at, FlagOf(entry, "simulated")});
}

// The attributes of a private key, as they were read back.
void RecordStory::OnDone(const json& entry) {
  const json& attributes = MemberOf(entry, "attributes");
  if (!attributes.is_object()) return;
  std::vector<NameValue> shown;
  for (const auto& [name, value] : attributes.items()) {
    constexpr std::string_view kPrivate = "private.";
    if (name.starts_with(kPrivate)) shown.emplace_back(name.substr(kPrivate.size()), InWords(value));
  }
  if (!shown.empty()) attributes_[TextOf(attributes, "private.CKA_ID")] = std::move(shown);
}

void RecordStory::OnObserve(const json& entry, const Moment& at) {
  const std::string what = TextOf(entry, "what");
  AddEvidence("observe:" + what, at, TextOf(entry, "step"));
  if (what == "profile-comparison") return OnComparison(entry);
  if (what.starts_with("share") || what.starts_with("pin-")) return OnShares(entry, at, what);
  const std::string named = TextOf(entry, "step");
  const std::string id = named.empty() ? step_ : named;
  if (what == "clock") {
    data_.clock = {{"source", TextOf(entry, "source")},
                   {"reading", TextOf(entry, "reading")},
                   {"machine", TimeInWords(TextOf(entry, "machine"))},
                   {"difference", fmt::format("{} s", IntegerOf(entry, "offset_seconds"))}};
  }
  if (id.empty()) return;
  Observed seen;
  seen.entry = at.entry;
  if (what == "confirmation") {
    seen.person = TextOf(entry, "person");
    seen.facts = {{"typed", TextOf(entry, "typed")}, {"to", TextOf(entry, "statement")}};
  } else {
    if (what != "facts" && what != "clock") seen.what = Spoken(what, '-');
    // What a token is stands in the table of tokens.
    static const std::set<std::string> of_tokens{"label", "manufacturer", "model", "firmware", "hardware"};
    for (NameValue& fact : FactsOf(entry)) {
      if (!what.starts_with("token") || !of_tokens.contains(fact.first)) seen.facts.push_back(std::move(fact));
    }
  }
  StepOf(id).observed.push_back(std::move(seen));
}

// What is compared is named by the first of these members; the names of one kind may be those of another.
void RecordStory::OnComparison(const json& entry) {
  for (const char* member : {"certificate", "crl", "request"}) {
    const std::string name = TextOf(entry, member);
    if (name.empty()) continue;
    IssuedThing& compared = compared_[{member, name}];
    compared.clause = TextOf(entry, "clause");
    compared.rows.clear();
    const json& rows = MemberOf(entry, "rows");
    if (!rows.is_array()) return;
    for (const json& row : rows) {
      compared.rows.push_back(
          {TextOf(row, "field"), TextOf(row, "profile"), TextOf(row, "certificate"), FlagOf(row, "equal")});
    }
    return;
  }
}

void RecordStory::OnArtefact(const json& entry, const Moment& at) {
  FileNamed file{TextOf(entry, "name"), TextOf(entry, "kind"),        TextOf(entry, "sha256"),
                 TextOf(entry, "step"), IntegerOf(entry, "size", -1), at.entry};
  const std::string step = file.step.empty() ? step_ : file.step;
  if (!step.empty()) StepOf(step).artefacts.emplace_back(file.name, file.entry);
  AddEvidence("artefact:" + file.kind, at, step);
  data_.artefacts.push_back(std::move(file));
}

void RecordStory::OnClose(const json& entry) {
  data_.closed = true;
  if (const json& called_off = MemberOf(entry, "called_off"); called_off.is_object())
    data_.called_off = TextOf(called_off, "reason");
  const json& open_items = MemberOf(entry, "open_items");
  if (!open_items.is_array()) return;
  for (const json& item : open_items) data_.open_items.push_back(InWords(item));
}

void RecordStory::Finish() {
  for (KeyStory& key : data_.keys) {
    key.here_before =
        std::none_of(key.events.begin(), key.events.end(), [](const KeyEvent& event) { return event.IsBeginning(); });
  }
}

}  // namespace ceremony::report

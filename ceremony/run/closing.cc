#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "ceremony/record/trust.h"
#include "ceremony/run/approval.h"
#include "ceremony/run/ceremony.h"
#include "ceremony/run/late_refusals.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/words.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

json OpenItems(const History& history) {
  json items = json::array();
  for (const Leftover& leftover : history.leftovers()) {
    const char* const why =
        leftover.kept_by == "SETTLE-KEEP-02"
            ? "an object that a call left behind was not removed by the token when it was asked to"
            : "an object that a call left behind is still on the token, by decision of the people present";
    items.push_back({{"what", why}, {"token", leftover.token}, {"object", leftover.name}, {"digest", leftover.digest}});
  }
  return items;
}

base::Result<void> AppendClose(Ceremony& ceremony, const std::optional<CalledOff>& called_off) {
  const json& open = ceremony.history().open();
  json items = OpenItems(ceremony.history());
  json fields = {{"steps", ceremony.history().StepsEnded()},
                 {"log_key", {{"plan", "destroy"}, {"attributes", open.at("log_key_attributes")}}}};
  if (called_off) {
    fields["called_off"] = {{"reason", called_off->reason}};
    for (json& item : ItemsLeft(ceremony)) items.push_back(std::move(item));
  }
  fields["open_items"] = std::move(items);
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kClose, std::move(fields)));
  ceremony.journal().Detach();
  return {};
}

// Who has cosigned the file `checkpoint` before a crash does not sign again.
base::Result<std::set<std::string>> Cosigners(Ceremony& ceremony) {
  std::set<std::string> people;
  KC_ASSIGN_OR_RETURN(
      const base::Bytes bytes,
      record::ReadWholeFile(ceremony.world().storage, record::JoinPath(ceremony.folder(), record::kCheckpointFile),
                            record::kMaxNoteBytes));
  KC_ASSIGN_OR_RETURN(const record::Note note, record::Note::Parse(base::AsText(bytes)));
  for (const record::SignatureLine& line : note.signatures) {
    if (line.name != ceremony.writer().origin()) people.emplace(line.person());
  }
  return people;
}

// What people refuse after `close` stands in no entry any more, but in the evidence of the addendum.
std::function<base::Result<void>(const base::Error&, const script::Person&)> RememberRefused(Ceremony& ceremony,
                                                                                             json& refusals) {
  return [&ceremony, &refusals](const base::Error& why, const script::Person& person) -> base::Result<void> {
    json refusal = ErrorFields(why);
    refusal["person"] = person.id;
    refusal["time"] = base::FormatTime(ceremony.world().clock.UtcMicros());
    refusals.push_back(std::move(refusal));
    return KeepLateRefusals(ceremony.world().storage, ceremony.folder(), refusals);
  };
}

std::function<base::Result<void>(const Ending&)> RememberEnded(Ceremony& ceremony, json& refusals) {
  return [remember = RememberRefused(ceremony, refusals)](const Ending& ending) {
    return ending.person == nullptr ? base::Result<void>() : remember(ending.why, *ending.person);
  };
}

base::Result<void> Cosign(Ceremony& ceremony, const script::Quorum& quorum, json& refusals) {
  const record::Checkpoint& final_checkpoint = *ceremony.writer().last_checkpoint();
  KC_ASSIGN_OR_RETURN(const std::set<std::string> signed_by, Cosigners(ceremony));
  if (signed_by.size() >= static_cast<std::size_t>(quorum.m)) return {};
  ceremony.terminal().Say(room::Tone::kPlain, fmt::format("The record is closed with {}.",
                                                          base::Counted(final_checkpoint.size, "entry", "entries")));
  ceremony.terminal().ShowDigest("root of the record", final_checkpoint.root);
  return GatherSignatures(ceremony, {.quorum = quorum,
                                     .what = "the final checkpoint of this record",
                                     .text = final_checkpoint.Text(),
                                     .signed_by = signed_by,
                                     .take =
                                         [&](const record::Writer::Cosignature& signature) {
                                           return ceremony.writer().AddCosignature(signature);
                                         },
                                     .refused = RememberRefused(ceremony, refusals),
                                     .ended = RememberEnded(ceremony, refusals)});
}

base::Result<json> DestroyKey(Ceremony& ceremony) {
  const json& open = ceremony.history().open();
  const json& attributes = open.at("log_key_attributes");
  KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(open.at("log_key").get<std::string>()));
  KC_ASSIGN_OR_RETURN(const base::PublicKey key, base::PublicKey::FromSpki(spki));
  KC_ASSIGN_OR_RETURN(hsm::Session * session, ceremony.tokens().Session(ceremony.RecordToken()));
  ceremony.SetLogKey(nullptr);
  return DestroyLogKey(*session, key, attributes.at("label").get<std::string>(),
                       attributes.at("object_id").get<std::string>(),
                       base::FormatTime(ceremony.world().clock.UtcMicros()));
}

// What the kernel gave when the ceremony began it may have refused later, when there were more secrets.
base::Result<void> TellOfMemory(Ceremony& ceremony) {
  if (ceremony.mode() == record::Mode::kRehearsal) return {};
  const base::Result<void> kept = ceremony.world().check_secret_memory();
  if (kept.ok()) return {};
  ceremony.terminal().Say(room::Tone::kWarning, kept.error().message + ".");
  KC_RETURN_IF_ERROR(
      ceremony.Append(record::EntryType::kDeviation, {{"what", kept.error().message}, {"rule", kept.error().rule}}));
  return {};
}

// What the program cannot see belongs into the record, too: who came in unannounced, what was said or done otherwise.
base::Result<void> TakeDownWhatDiffered(Ceremony& ceremony) {
  constexpr const char* kNothing = "nothing to add";
  constexpr const char* kSomething = "add a sentence";
  const room::Question more{
      .kind = room::Question::Kind::kChoice,
      .id = "close/differed",
      .text = "Did anything happen that the script does not say and the record does not yet mention?",
      .choices = {kNothing, kSomething},
      .simulated = kNothing};
  const room::Question words{.kind = room::Question::Kind::kText,
                             .id = "close/differed/words",
                             .text = "What was it, when, and who was there? Everybody who reads the record reads this.",
                             .example = "at 10:40 a guard came in for a minute and saw no token",
                             .may_go_back = true};
  while (true) {
    KC_ASSIGN_OR_RETURN(const std::string choice, ceremony.Ask("administrator", more));
    if (choice == kNothing) return {};
    KC_ASSIGN_OR_RETURN(std::string said, ceremony.Ask("administrator", words));
    if (said == room::kBack) continue;
    KC_RETURN_IF_ERROR(
        ceremony.Append(record::EntryType::kDeviation, {{"what", "told before the close"}, {"text", std::move(said)}}));
  }
}

// People have still to stay and sign.
void TellWhatComes(Ceremony& ceremony, const script::Quorum& quorum) {
  ceremony.terminal().Say(
      room::Tone::kPlain,
      fmt::format("\nNext the record is to be closed. {} of the quorum {} must agree to that, sign the whole record, "
                  "and, once its "
                  "key is destroyed, sign the list of its files.",
                  base::Counted(static_cast<std::size_t>(quorum.m), "person", "people"), quorum.name));
}

// After its first two lines the text has a line for each file (docs/record-format.md).
void ShowFiles(Ceremony& ceremony, const std::string& text) {
  const auto files = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 2;
  ceremony.terminal().Say(room::Tone::kPlain,
                          fmt::format("What is signed last is the list of the record's {}, the addendum.",
                                      base::Counted(files, "file", "files")));
  ceremony.terminal().ShowDigest("the text of the addendum (SHA-256)", base::Sha256Of(text));
}

}  // namespace

base::Result<void> CloseRecord(Ceremony& ceremony, const std::optional<CalledOff>& called_off) {
  const script::Quorum& quorum = *ceremony.roster().FindQuorum(record::kWitnessQuorum);
  if (!ceremony.history().closed()) {
    TellWhatComes(ceremony, quorum);
    KC_RETURN_IF_ERROR(TellOfMemory(ceremony));
    KC_RETURN_IF_ERROR(TakeDownWhatDiffered(ceremony));
    KC_RETURN_IF_ERROR(
        ConsentToClose(ceremony, quorum,
                       called_off ? "calling the ceremony off, and closing its record now" : "closing the record now"));
    KC_RETURN_IF_ERROR(AppendClose(ceremony, called_off));
  }
  if (!ceremony.writer().has_final_checkpoint()) {
    KC_ASSIGN_OR_RETURN(TokenSigner * log_key, ceremony.LogKey());
    KC_RETURN_IF_ERROR(ceremony.writer().FinalCheckpoint(*log_key));
  }
  KC_ASSIGN_OR_RETURN(json refusals, ReadLateRefusals(ceremony.world().storage, ceremony.folder()));
  KC_RETURN_IF_ERROR(Cosign(ceremony, quorum, refusals));
  KC_ASSIGN_OR_RETURN(json evidence, DestroyKey(ceremony));
  const std::size_t told = refusals.size();
  if (told > 0) evidence["refusals"] = refusals;
  ceremony.terminal().Say(room::Tone::kGood, "The key that signed this record is destroyed, and shown to be absent.");
  KC_ASSIGN_OR_RETURN(const std::string text, ceremony.writer().AddendumText(evidence));
  ShowFiles(ceremony, text);
  std::vector<record::Writer::Cosignature> signatures;
  const auto keep = [&](const record::Writer::Cosignature& signature) -> base::Result<void> {
    signatures.push_back(signature);
    return {};
  };
  KC_RETURN_IF_ERROR(
      GatherSignatures(ceremony, {.quorum = quorum,
                                  .what = "the list of this record's files, now that its key is destroyed",
                                  .text = text,
                                  .take = keep,
                                  .refused = RememberRefused(ceremony, refusals),
                                  .ended = RememberEnded(ceremony, refusals)}));
  KC_RETURN_IF_ERROR(ceremony.writer().PublishAddendum(text, signatures));
  if (told > 0) {
    // What was refused of the addendum itself is in none: it stays beside the record.
    refusals.erase(refusals.begin(), refusals.begin() + static_cast<std::ptrdiff_t>(told));
    KC_RETURN_IF_ERROR(KeepLateRefusals(ceremony.world().storage, ceremony.folder(), refusals));
  }
  return ceremony.LogOutOfAll();
}

}  // namespace ceremony::run

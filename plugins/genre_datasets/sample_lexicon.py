"""What the sample's news are about: phrases for each category and subcategory, alternatives separated by `|`.

`tag` is the word for the topic; `who` did something (`did`) to some `what`, for a reason (`why`); `head` are
informative headlines. A symbol in braces is replaced by one of its alternatives, the same one everywhere in one news.
All deeds are in the past tense, so that any `who` goes with any of them.
"""

from collections.abc import Mapping
from typing import Final

Rules = Mapping[str, str]

LEXICON: Final[Mapping[str, Mapping[str, Rules]]] = {
    "politics": {
        "elections": {
            "tag": "election",
            "who": "the governor's challenger|a first-time candidate|the state election board|the incumbent senator"
            "|a county clerk|the mayor's campaign",
            "what": "the absentee ballots|a runoff for the open seat|the primary debate|new polling places|the recount",
            "did": "won over undecided voters on {what}|asked a judge to look at {what}|raised record donations before"
            " {what}|opened a campaign office to prepare for {what}|called for more poll workers at {what}",
            "why": "after turnout doubled in the suburbs|as early voting began|after a poll showed the race tied"
            "|because of long lines at the last vote",
            "head": "Voters turn out early as {what} looms|{who} gains in the polls"
            "|Campaign fight over {what} heats up",
        },
        "congress": {
            "tag": "Congress",
            "who": "a bipartisan group of senators|the House oversight committee|the majority leader"
            "|a freshman lawmaker|the Senate minority",
            "what": "the infrastructure bill|a spending package|the farm subsidies|a hearing on border security"
            "|the nomination of a federal judge",
            "did": "agreed to vote on {what}|blocked {what} in a late session|wrote an amendment to {what}"
            "|delayed {what} until after the recess|defended {what} on the Capitol steps",
            "why": "after weeks of closed negotiations|as a shutdown deadline came near|under pressure from lobbyists"
            "|after the White House threatened a veto",
            "head": "Lawmakers clash over {what}|{who} forces vote on {what}|Capitol deal puts {what} back on track",
        },
        "courts": {
            "tag": "court",
            "who": "a federal appeals court|the state attorney general|a district judge|the supreme court"
            "|a panel of prosecutors",
            "what": "the redistricting lawsuit|a ruling on immigration|the voting rights case|the ethics indictment"
            "|a challenge to the new gun law",
            "did": "reopened {what}|threw out {what}|heard arguments in {what}|filed a brief about {what}"
            "|set a trial date in {what}",
            "why": "after a witness changed his testimony|because two lower courts disagreed"
            "|following an appeal by the plaintiffs|as legal scholars had expected",
            "head": "Judge weighs {what}|{who} rules on {what}|Appeal revives {what}",
        },
    },
    "sports": {
        "football": {
            "tag": "football",
            "who": "the Ridgeport Falcons|a rookie quarterback|the Bay Valley Miners|a veteran linebacker"
            "|the Northfield Bears",
            "what": "the fourth-quarter touchdown|a playoff berth|the rivalry game|the fumble on the goal line"
            "|a sixty-yard field goal",
            "did": "celebrated {what}|lost sleep over {what}|practiced all week for {what}|earned praise for {what}"
            "|answered questions about {what}",
            "why": "after the starting receiver was injured|despite three interceptions"
            "|in front of a sold-out stadium|as the coach changed the defense",
            "head": "{who} and {what}: a game to remember|Touchdown drive decides {what}|Coach explains {what}",
        },
        "basketball": {
            "tag": "basketball",
            "who": "the Lakeside Comets|a seven-foot center|the league's top scorer|the Harbor City Hawks"
            "|a second-round draft pick",
            "what": "the overtime win|a triple-double|the buzzer beater|a ten-game winning streak"
            "|the trade deadline deal",
            "did": "talked about {what}|led the box score in {what}|brought the crowd to its feet with {what}"
            "|finished the road trip with {what}|shared the credit for {what}",
            "why": "after missing nine free throws|with the point guard on the bench"
            "|as rebounds decided the second half|in a matchup of division leaders",
            "head": "{who} and {what} stun the league|Three-pointers pave the way to {what}"
            "|Dunk contest star and {what}",
        },
        "soccer": {
            "tag": "soccer",
            "who": "the women's national team|a teenage striker|the Riverton United goalkeeper|the club's new manager"
            "|the expansion side from {city}",
            "what": "the penalty shootout|a place in the cup final|the opening goal|the summer transfer|a clean sheet",
            "did": "dedicated {what} to the fans|was at the heart of {what}|had waited a season for {what}"
            "|silenced critics with {what}|studied video before {what}",
            "why": "after a scoreless first half|despite a red card|on a rain-soaked pitch"
            "|as the midfield ran out of legs",
            "head": "{who} savors {what}|Stoppage-time drama leads to {what}|Pitch side: how {what} was won",
        },
    },
    "finance": {
        "markets": {
            "tag": "stock market",
            "who": "the central bank|a large hedge fund|a chip maker's shares|bond traders|the biggest index fund",
            "what": "the quarterly earnings|a cut in interest rates|the oil price|inflation figures|the merger offer",
            "did": "moved sharply on {what}|bet against {what}|published a forecast of {what}"
            "|warned shareholders about {what}|revised expectations for {what}",
            "why": "as Wall Street closed at a record|after analysts lowered their targets"
            "|amid worries about tariffs|following a volatile week of trading",
            "head": "Stocks swing on {what}|{who} reacts to {what}|Investors brace for {what}",
        },
        "saving": {
            "tag": "savings",
            "who": "a couple with two loans|the credit union|a retired teacher|a financial planner"
            "|an online savings bank",
            "what": "the student debt|a retirement account|the monthly budget|credit card interest|an emergency fund",
            "did": "paid off {what}|explained a simple rule for {what}|found a mistake in {what}"
            "|changed the plan for {what}|set aside fifty dollars a week for {what}",
            "why": "after a tax refund came early|by cooking at home and selling a car|as fees kept rising"
            "|following a layoff in the family",
            "head": "How {who} tackled {what}|Budget rules that fix {what}|The tax trick behind {what}",
        },
        "housing": {
            "tag": "housing",
            "who": "a first-time buyer|the city's landlords|a mortgage lender|a home builder|the tenants' union",
            "what": "the asking price|a thirty-year mortgage|the vacant lots|a rent freeze|the kitchen renovation",
            "did": "bargained over {what}|signed the papers for {what}|lost a bidding war because of {what}"
            "|asked an inspector about {what}|went door to door about {what}",
            "why": "as home sales slowed|after a leaky roof was found|because listings had become scarce"
            "|when closing costs went up",
            "head": "Home buyers wrestle with {what}|Real estate: {what} surprises {city}|Mortgage rates change {what}",
        },
    },
    "health": {
        "nutrition": {
            "tag": "diet",
            "who": "a team of dietitians|the school cafeteria|a cardiologist|people over fifty|a university study",
            "what": "a high-fiber breakfast|added sugar|the Mediterranean diet|daily vitamin pills|salt in canned soup",
            "did": "compared cholesterol before and after {what}|advised families about {what}"
            "|measured how hunger changes with {what}|lost weight after rethinking {what}"
            "|questioned claims about {what}",
            "why": "over a trial of twelve weeks|after blood pressure readings went up"
            "|as diabetes became more common|because labels were confusing",
            "head": "Dietitians weigh in on {what}|What {what} does to your heart|Diet study looks at {what}",
        },
        "exercise": {
            "tag": "fitness",
            "who": "a marathon runner|a physical therapist|a group of night-shift nurses|a yoga teacher|the local gym",
            "what": "a ten-minute workout|morning stretches|strength training|walking meetings|an aching knee",
            "did": "swore by {what}|designed a program around {what}|recovered with the help of {what}"
            "|warned beginners about {what}|tracked heart rates during {what}",
            "why": "after months at a desk|to sleep better|as muscles weaken with age|following back surgery",
            "head": "Trainers on {what}: start slowly|Fitness plan puts {what} first|Muscles and {what}: the evidence",
        },
        "medicine": {
            "tag": "hospital",
            "who": "surgeons at the county hospital|a vaccine maker|the health department|an oncology clinic"
            "|a young pediatrician",
            "what": "an early cancer test|the flu vaccine|a rare infection|the new migraine drug|the waiting list",
            "did": "reported good results with {what}|told patients not to ignore {what}|received approval for {what}"
            "|treated hundreds of cases linked to {what}|doubled the staff that handles {what}",
            "why": "after a clinical trial ended early|as emergency rooms filled up"
            "|because symptoms are easy to miss|following a recall of tablets",
            "head": "Doctors report progress on {what}|Hospital patients and {what}|Trial results: {what} explained",
        },
    },
    "food": {
        "recipes": {
            "tag": "recipe",
            "who": "a home cook|a church kitchen|the author of a cookbook|a grandmother of nine|a baking club",
            "what": "a skillet chicken dinner|the perfect pie crust|slow-cooker chili|a sheet-pan casserole"
            "|garlic mashed potatoes",
            "did": "shared the recipe for {what}|tested eleven ways to make {what}|rescued Thanksgiving with {what}"
            "|left out the butter in {what}|fed forty guests with {what}",
            "why": "using leftovers from the fridge|with only five ingredients|after the oven broke"
            "|because weeknights are short",
            "head": "Easy oven recipe: {what}|How to bake and season {what}|The secret ingredient in {what}",
        },
        "restaurants": {
            "tag": "restaurant",
            "who": "a taco truck|the oldest diner in {city}|a celebrity chef|a steakhouse chain|a noodle bar",
            "what": "the tasting menu|a two-hour line for brunch|the late-night burger|a row over tips"
            "|the vegan barbecue",
            "did": "became famous for {what}|closed its patio over {what}|hired more waiters because of {what}"
            "|won a star for {what}|raised prices for {what}",
            "why": "after a critic's glowing review|as diners came back downtown|following a kitchen fire"
            "|when the lease ran out",
            "head": "Chef and diners on {what}|Where to eat: {who} and {what}|Menu change: {what} is here",
        },
        "drinks": {
            "tag": "drinks",
            "who": "a craft brewery|a winemaker in the valley|a coffee roaster|the bartenders' guild|a cider mill",
            "what": "a pumpkin ale|the cold brew|an alcohol-free cocktail|this year's pinot harvest|the oak barrels",
            "did": "poured the first glass of {what}|sold out of {what}|reinvented {what}"
            "|entered a contest with {what}|gave away samples of {what}",
            "why": "as thirsty crowds filled the taproom|after a frost hit the vineyards"
            "|because espresso prices jumped|to welcome the holiday season",
            "head": "Brewers and baristas toast {what}|Sip this: {what} returns|Wine, beer and {what} in {city}",
        },
    },
    "travel": {
        "flights": {
            "tag": "airline",
            "who": "a budget airline|passengers at the {city} airport|a flight attendant|the airport authority"
            "|a pilot with thirty years in the air",
            "what": "the overbooked jet|carry-on fees|a nonstop route to Lisbon|the security line|a nine-hour delay",
            "did": "apologized for {what}|recorded a video about {what}|got refunds because of {what}"
            "|announced changes to {what}|joked over the loudspeaker about {what}",
            "why": "as storms closed two runways|after a computer outage|ahead of the holiday rush"
            "|when a gate change was not announced",
            "head": "Airline passengers and {what}|Boarding trouble: {what} explained|Runway news: {what}",
        },
        "beaches": {
            "tag": "beach",
            "who": "a cruise line|the island's tourist board|a family from {city}|lifeguards on the Gulf coast"
            "|a beachfront resort",
            "what": "the all-inclusive week|a hidden cove|the coral reef|sunset kayak tours|the new ferry",
            "did": "fell in love with {what}|set limits on {what}|cut the price of {what}|added a dock for {what}"
            "|ranked first for {what}",
            "why": "after the hurricane season ended|as sunseekers looked for warmer water"
            "|because snorkelers had damaged it|in a survey of vacationers",
            "head": "Island escape: {what}|Sand, sea and {what}|Cruise guests discover {what}",
        },
        "parks": {
            "tag": "hiking",
            "who": "the national park service|a solo hiker|a camping guide|the rangers of a canyon|a family in a van",
            "what": "the snowed-in trail|a permit for the summit|the campground by the lake|a bear near the tents"
            "|the waterfall lookout",
            "did": "reopened {what}|wrote home about {what}|packed too lightly for {what}|took visitors to {what}"
            "|closed the road to {what}",
            "why": "after record crowds in October|as wildfire smoke drifted off|when the first snow fell"
            "|following a rescue by helicopter",
            "head": "Hikers drawn to {what}|Park rangers and {what}|Trail report: {what}",
        },
    },
    "entertainment": {
        "movies": {
            "tag": "movie",
            "who": "the director of a space epic|an Oscar winner|a small film studio|the star of the sequel"
            "|a horror screenwriter",
            "what": "the opening weekend|a deleted scene|the box office flop|an animated remake|the final trailer",
            "did": "broke the silence on {what}|surprised theaters with {what}|spent two years on {what}"
            "|laughed about {what}|thanked the cast for {what}",
            "why": "at a festival premiere|after reshoots went over budget|as streaming rivals caught up"
            "|when a stunt went wrong",
            "head": "Film fans debate {what}|Behind the camera: {what}|Hollywood talks about {what}",
        },
        "music": {
            "tag": "music",
            "who": "a country singer|a punk band from {city}|the queen of pop|a jazz drummer|a festival promoter",
            "what": "the surprise album|a stadium tour|the duet|a broken guitar|the Grammy nomination",
            "did": "sang about {what}|canceled rehearsals for {what}|topped the charts with {what}"
            "|wept on stage over {what}|signed posters of {what}",
            "why": "after ten years without a hit|as tickets sold out in minutes|when the microphone failed"
            "|following a stay in rehab",
            "head": "Singer's fans cheer {what}|On stage: {who} and {what}|Album of the week: {what}",
        },
        "television": {
            "tag": "television",
            "who": "a late-night host|the cast of a hospital drama|a game show champion|the network|a reality star",
            "what": "the season finale|a reunion episode|the spinoff|an on-air slip|the renewed sitcom",
            "did": "teased {what}|walked out during {what}|confirmed {what}|drew huge ratings with {what}"
            "|apologized to viewers for {what}",
            "why": "after a cliffhanger angered viewers|as the writers' contract ended"
            "|in a Thursday broadcast|when a beloved character died",
            "head": "Viewers react to {what}|TV recap: {who} and {what}|Episode guide: {what}",
        },
    },
    "technology": {
        "gadgets": {
            "tag": "gadget",
            "who": "a phone maker|a pair of smart glasses|the latest laptop|a headphone start-up|a gaming console",
            "what": "a folding screen|the battery that lasts three days|a cracked display|the noise canceling chip"
            "|the wireless charger",
            "did": "impressed reviewers with {what}|was recalled over {what}|went on sale with {what}"
            "|lost points for {what}|beat its rivals on {what}",
            "why": "in a week of hands-on tests|after engineers fixed overheating"
            "|ahead of the holiday shopping season|as component prices fell",
            "head": "Review: {what} put to the test|Gadget watch: {who} and {what}|Hands on with {what}",
        },
        "internet": {
            "tag": "internet",
            "who": "a social network|a teenage hacker|the privacy regulator|a video app|a team of moderators",
            "what": "the leaked passwords|a change of the news feed|the fake accounts|hidden tracking cookies"
            "|an encrypted chat",
            "did": "shut down {what}|admitted mistakes about {what}|sold ads next to {what}|uncovered {what}"
            "|gave users a switch for {what}",
            "why": "after a data breach|as lawsuits over privacy piled up|when millions of posts went viral"
            "|following a report by researchers",
            "head": "Online users warned about {what}|Data privacy: {who} and {what}|Hackers, apps and {what}",
        },
        "space": {
            "tag": "space",
            "who": "the space agency|a rocket start-up|two astronauts|astronomers in Chile|a student-built satellite",
            "what": "the Mars rover|a spacewalk|the distant galaxy|a failed launch|the lunar lander",
            "did": "sent back pictures of {what}|learned new physics from {what}|counted down to {what}"
            "|lost contact during {what}|fixed a sensor in time for {what}",
            "why": "after a solar storm|from an orbit of four hundred miles|as engineers cheered in mission control"
            "|with a telescope cooled by helium",
            "head": "Orbit update: {what}|Rocket engineers and {what}|Astronauts talk about {what}",
        },
    },
}

CITIES: Final = (
    "Austin, Texas|Boise, Idaho|Columbus, Ohio|Denver, Colorado|Fresno, California|Hartford, Connecticut|Miami, Florida"
    "|Nashville, Tennessee|Omaha, Nebraska|Portland, Oregon|Raleigh, North Carolina|Tucson, Arizona|Buffalo, New York"
    "|Madison, Wisconsin|Mobile, Alabama|Seattle, Washington"
)

COMMON: Final[Rules] = {
    "place": CITIES,
    "city": "Austin|Boise|Columbus|Denver|Fresno|Hartford|Miami|Nashville|Omaha|Portland|Raleigh|Tucson|Buffalo"
    "|Seattle",
    "day": "on Monday|on Tuesday|on Friday|over the weekend|tomorrow|next week",
    "number": "three|four|five|six|seven|ten",
    "teaser": "You will never guess what happened next|Everyone in {city} is talking about this|The one thing you are"
    " doing wrong|Here is what we know so far|It happened again, and nobody was ready|{number} things to know before"
    " tomorrow|This changes everything|They said it could not be done|Wait until you see number {number}"
    "|What {city} did"
    " next surprised us all|We tried it so you do not have to|The truth behind the photo everyone shared|'I could not"
    " believe my eyes'|Why people in {city} are upset today|Stop what you are doing and read this|A big day for {city}"
    "|The story behind the numbers|What they do not tell you|So this is how it ends|Remember this? It is back"
    "|An unlikely hero in {city}|{number} reasons to smile today|The question nobody dares to ask|One mistake, and then"
    " this|Experts are puzzled|Things just got complicated",
    "terse": "In {city}, a surprise|Update from {city}|Late news from {city}|What next for {city}?|More to come"
    "|In brief: {city}|Big decision made|Second chance|Not so fast|A turn of events|Caught in the middle|The long wait",
    "title": "{head}|{head}|{head}|The {tag} story from {city}: {what}|The week in {tag} news: {what}",
    "outlook": "A decision is expected by the end of the month.|Others are watching closely."
    "|Few had expected it so soon."
    "|People who were there called it a relief.|It is the second time this year."
    "|Neighbors said they had seen it coming.",
    "context": "It is the {tag} story of the week.|The {tag} world took notice.|For {tag} fans, it was no surprise."
    "|Local {tag} news had hinted at it for days.|More {tag} coverage follows {day}.|Many people in {city} follow {tag}"
    " news closely.",
    "abstract": "{who} {did} in {place} {why}.|{who} {did} {why}, and people in {place} noticed."
    "|In {place}, {who} {did}"
    " {why}.|{who} {did}, it was reported in {place}.|It took {number} attempts, but {who} {did} {why}.",
}
"""Symbols of every news. Teasers and terse headlines say nothing of the topic, on purpose."""

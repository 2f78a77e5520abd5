"""The open columns: demographics without detail, completeness, alertness, cognition, emotion, tasks, motor, senses."""

from itertools import chain

from connectomedb.demo.measures.columns import Column, choice, clock, flag, group, integer, number, text

_COGNITION, _EMOTION, _TASK, _DONE = "Cognition", "Emotion", "In-Scanner Task Performance", "Study Completion"
_OFTEN = "how often in the past month, 0 not to 3 three times a week or more"

DELAYS = ("1mo", "6mo", "1yr", "3yr", "5yr", "10yr")
WM_STIMULI = ("Body", "Face", "Place", "Tool")


def _toolbox(stem: str, low: float, high: float, age_low: float, age_high: float, what: str) -> tuple[Column, ...]:
    """An NIH Toolbox score, scaled to everybody and to people of the same age."""
    return (
        number(f"{stem}_Unadj", low, high, f"{what}: scaled to the whole norm sample, mean 100"),
        number(f"{stem}_AgeAdj", age_low, age_high, f"{what}: scaled to people of the same age, mean 100"),
    )


def _t_scores(*rows: tuple[str, float, float, str]) -> tuple[Column, ...]:
    return tuple(
        number(f"{stem}_Unadj", low, high, f"{what}: questionnaire, mean 50") for stem, low, high, what in rows
    )


def _discounting() -> tuple[Column, ...]:
    amounts = (("200", 200, 3.125, 196.875), ("40K", 40_000, 625, 39_375))
    values = (
        number(f"DDisc_SV_{delay}_{short}", low, high, f"What {full} dollars after {delay} are worth now, in dollars")
        for short, full, low, high in amounts
        for delay in DELAYS
    )
    areas = (
        number(
            f"DDisc_AUC_{short}", 0.0156, 0.9844, f"Area under the discounting curve of {full} dollars; 1 is patient"
        )
        for short, full, _, _ in amounts
    )
    return (*values, *areas)


def _working_memory() -> tuple[Column, ...]:
    loads = (("2bk", "two-back"), ("0bk", "zero-back"))
    return (
        number("WM_Task_Acc", 45.8, 100, "N-back task: percent right over all blocks"),
        number("WM_Task_Median_RT", 568, 1508, "N-back task: median reaction time, ms"),
        *(number(f"WM_Task_{load}_Acc", 45.8, 100, f"N-back task: percent right, {word}") for load, word in loads),
        *(
            number(f"WM_Task_{load}_Median_RT", 568, 1508, f"N-back task: median reaction time in ms, {word}")
            for load, word in loads
        ),
        *(
            number(f"WM_Task_{load}_{kind}_Acc", 45.8, 100, f"N-back task: percent right, {word}, {kind.lower()}")
            for load, word in loads
            for kind in WM_STIMULI
        ),
    )


def _social() -> tuple[Column, ...]:
    answers = (("Random", "random"), ("TOM", "intended"), ("Unsure", "unsure"))
    return (
        *(number(f"Social_Task_Perc_{key}", 0, 100, f"Film task: percent judged {word}") for key, word in answers),
        number("Social_Task_Perc_NLR", 0, 100, "Film task: percent without an answer"),
        *(
            number(
                f"Social_Task_Median_RT_{key}", 300, 5000, f"Film task: median reaction time of the answer {word}, ms"
            )
            for key, word in answers
        ),
    )


def _items() -> tuple[Column, ...]:
    names = ("neuroticism", "extraversion", "openness", "agreeableness", "conscientiousness")
    return tuple(
        choice(
            f"NEORAW_{item:02d}",
            "SD=strongly disagree|D=disagree|N=neutral|A=agree|SA=strongly agree",
            f"Answer to item {item} ({names[(item - 1) % 5]}), from strong no to strong yes",
        )
        for item in range(1, 61)
    )


OPEN_COLUMNS: tuple[Column, ...] = tuple(
    chain(
        group(
            "Subject Information",
            "Demographics",
            text("Subject", "Label, six digits"),
            choice("Release", "Q1|Q2|Q3|S500|S900|S1200", "Release in which the subject first appeared"),
            choice("Acquisition", "Q01|Q02|Q03", "Quarter of the study in which the subject was scanned"),
            choice("Gender", "F=female|M=male|U=unknown", "Gender as told"),
            choice("Age", "22-25|26-30|31-35|36+", "Age at the first visit, in bands of years"),
        ),
        group(
            _DONE,
            "Study Completion: 3T MR",
            flag("3T_Full_MR_Compl", "Whether all scans of the 3T protocol are there"),
            integer("T1_Count", 1, 2, "How many T1-weighted scans are usable"),
            integer("T2_Count", 0, 2, "How many T2-weighted scans are usable"),
            integer("3T_RS-fMRI_Count", 0, 4, "How many resting runs there are"),
            number("3T_RS-fMRI_PctCompl", 0, 100, "Percent of the resting frames that were recorded"),
            flag("3T_Full_Task_fMRI", "Whether all task runs are there"),
            number("3T_tMRI_PctCompl", 0, 100, "Percent of the task frames that were recorded"),
            flag("fMRI_Mot_Compl", "Whether both runs of the motor task are there"),
            number("fMRI_Mot_PctCompl", 0, 100, "Percent of the motor frames that were recorded"),
            flag("3T_dMRI_Compl", "Whether all diffusion series are there"),
            number("3T_dMRI_PctCompl", 0, 100, "Percent of the diffusion volumes that were recorded"),
        ),
        group(
            _DONE,
            "Image Reconstruction Info: 3T MR",
            choice("fMRI_3T_ReconVrs", "r177|r227|r177 r227", "Version of the reconstruction of the functional runs"),
        ),
        group(
            _DONE,
            "Study Completion: Behavior",
            flag("MMSE_Compl", "Whether the mental status examination was done"),
            flag("PSQI_Compl", "Whether the sleep questionnaire was filled in"),
            flag("PMAT_Compl", "Whether the matrices were done"),
            flag("SCPT_Compl", "Whether the continuous performance test was done"),
            flag("IWRD_Compl", "Whether the word memory test was done"),
            flag("VSPLOT_Compl", "Whether the line orientation test was done"),
            flag("DelDisc_Compl", "Whether the delay discounting was done"),
            flag("EmoRecog_Compl", "Whether the emotion recognition test was done"),
            flag("NEO-FFI_Compl", "Whether the personality inventory was filled in"),
            flag("Non-TB_Compl", "Whether all measures outside the NIH Toolbox are there"),
        ),
        group(
            "QC Issues",
            "Quality Control Issue Noted",
            text(
                "QC_Issue",
                "Letters of known issues, joined by ';': A anatomy, B segmentation, C coil, D rest, E sorted by hand",
            ),
        ),
        group(
            "MR Sessions",
            "Session Information",
            choice("MRsession_Scanner_3T", "HCP3T", "Scanner of the 3T session"),
            text("MRsession_Scans_3T", "Kinds of scans of the 3T session, each with its number"),
            text("MRsession_Label_3T", "Label of the 3T session"),
        ),
        group(
            "Alertness",
            "Cognitive Status (Mini Mental Status Exam)",
            integer("MMSE_Score", 23, 30, "Mini mental state examination: points out of 30"),
        ),
        group(
            "Alertness",
            "Sleep (Pittsburgh Sleep Questionnaire)",
            integer("PSQI_Score", 0, 21, "Sleep questionnaire, sum of its seven components; more is worse"),
            integer("PSQI_Comp1", 0, 3, "Component 1: how good sleep is said to be"),
            integer("PSQI_Comp2", 0, 3, "Component 2: how long falling asleep takes"),
            integer("PSQI_Comp3", 0, 3, "Component 3: how long sleep lasts"),
            integer("PSQI_Comp4", 0, 3, "Component 4: share of the time in bed that is slept"),
            integer("PSQI_Comp5", 0, 3, "Component 5: how often sleep is disturbed"),
            integer("PSQI_Comp6", 0, 3, "Component 6: use of sleep medicine"),
            integer("PSQI_Comp7", 0, 3, "Component 7: trouble in the daytime"),
            clock("PSQI_BedTime", "Usual time of going to bed"),
            integer("PSQI_Min2Asleep", 0, 300, "Minutes until asleep"),
            clock("PSQI_GetUpTime", "Usual time of getting up"),
            number("PSQI_AmtSleep", 2.5, 10, "Hours of sleep per night"),
            integer("PSQI_Latency30Min", 0, 3, f"Not asleep within 30 minutes: {_OFTEN}"),
            integer("PSQI_WakeUp", 0, 3, f"Awake in the night or too early: {_OFTEN}"),
            integer("PSQI_Bathroom", 0, 3, f"Up for the bathroom: {_OFTEN}"),
            integer("PSQI_Breathe", 0, 3, f"Cannot breathe well: {_OFTEN}"),
            integer("PSQI_Snore", 0, 3, f"Coughs or snores: {_OFTEN}"),
            integer("PSQI_TooCold", 0, 3, f"Too cold: {_OFTEN}"),
            integer("PSQI_TooHot", 0, 3, f"Too hot: {_OFTEN}"),
            integer("PSQI_BadDream", 0, 3, f"Bad dreams: {_OFTEN}"),
            integer("PSQI_Pain", 0, 3, f"Pain: {_OFTEN}"),
            integer("PSQI_Other", 0, 3, f"Other reasons: {_OFTEN}"),
            integer("PSQI_Quality", 0, 3, "Own word on sleep: 0 very good to 3 very bad"),
            integer("PSQI_SleepMeds", 0, 3, f"Sleep medicine: {_OFTEN}"),
            integer("PSQI_DayStayAwake", 0, 3, f"Trouble staying awake in the daytime: {_OFTEN}"),
            integer("PSQI_DayEnthusiasm", 0, 3, "Trouble keeping up enthusiasm: 0 none to 3 a big problem"),
        ),
        group(
            _COGNITION,
            "Episodic Memory (Picture Sequence Memory)",
            *_toolbox("PicSeq", 82.37, 135.55, 62, 134.8, "Remembering the order of pictures"),
        ),
        group(
            _COGNITION,
            "Executive Function/Cognitive Flexibility (Dimensional Change Card Sort)",
            *_toolbox("CardSort", 83.93, 143.94, 66.6, 122.7, "Sorting cards by changing rules"),
        ),
        group(
            _COGNITION,
            "Executive Function/Inhibition (Flanker Task)",
            *_toolbox("Flanker", 86.31, 142.11, 72.8, 123.6, "Attending to one arrow among others"),
        ),
        group(
            _COGNITION,
            "Fluid Intelligence (Penn Progressive Matrices)",
            integer("PMAT24_A_CR", 0, 24, "Matrices: items solved, of 24"),
            integer("PMAT24_A_SI", 0, 13, "Matrices: items skipped because five in a row were wrong"),
            number("PMAT24_A_RTCR", 2580, 51977, "Matrices: median reaction time of solved items, ms"),
        ),
        group(
            _COGNITION,
            "Language/Reading Decoding (Oral Reading Recognition)",
            *_toolbox("ReadEng", 84.2, 150.71, 59, 139, "Reading words aloud"),
        ),
        group(
            _COGNITION,
            "Language/Vocabulary Comprehension (Picture Vocabulary)",
            *_toolbox("PicVocab", 94.57, 142.83, 68, 150, "Knowing words from pictures"),
        ),
        group(
            _COGNITION,
            "Processing Speed (Pattern Completion Processing Speed)",
            *_toolbox("ProcSpeed", 60.09, 154.69, 46, 149, "Comparing patterns quickly"),
        ),
        group(_COGNITION, "Self-regulation/Impulsivity (Delay Discounting)", *_discounting()),
        group(
            _COGNITION,
            "Spatial Orientation (Variable Short Penn Line Orientation Test)",
            integer("VSPLOT_TC", 0, 26, "Line orientation: items right"),
            number(
                "VSPLOT_CRTE", 500, 2770, "Line orientation: median reaction time, ms, divided by the clicks needed"
            ),
            integer("VSPLOT_OFF", 4, 110, "Line orientation: positions off over all items"),
        ),
        group(
            _COGNITION,
            "Sustained Attention (Short Penn Continuous Performance Test)",
            integer("SCPT_TP", 33, 60, "Continuous performance: targets answered, of 60"),
            integer("SCPT_TN", 92, 120, "Continuous performance: others left alone, of 120"),
            integer("SCPT_FP", 0, 28, "Continuous performance: false answers, 120 less SCPT_TN"),
            integer("SCPT_FN", 0, 27, "Continuous performance: targets missed, 60 less SCPT_TP"),
            number("SCPT_TPRT", 360, 650, "Continuous performance: median reaction time of answered targets, ms"),
            number("SCPT_SEN", 0.55, 1, "Continuous performance: sensitivity, SCPT_TP / 60"),
            number("SCPT_SPEC", 0.7666, 1, "Continuous performance: specificity, SCPT_TN / 120"),
            integer("SCPT_LRNR", 5, 80, "Continuous performance: longest run without an answer"),
        ),
        group(
            _COGNITION,
            "Verbal Episodic Memory (Penn Word Memory Test)",
            integer("IWRD_TOT", 25, 40, "Word memory: right answers, of 40"),
            number("IWRD_RTC", 1022.5, 3067.5, "Word memory: median reaction time of right answers, ms"),
        ),
        group(
            _COGNITION,
            "Working Memory (List Sorting)",
            *_toolbox("ListSort", 80.79, 144.5, 67, 136, "Sorting lists by size in memory"),
        ),
        group(
            _COGNITION,
            "Cognition Fluid Composite",
            *_toolbox("CogFluidComp", 78, 150, 62, 150, "Mean of the five fluid tests"),
        ),
        group(
            _COGNITION,
            "Cognition Early Childhood Composite",
            *_toolbox("CogEarlyComp", 80, 150, 65, 150, "Mean of the four early tests"),
        ),
        group(
            _COGNITION,
            "Cognition Total Composite Score",
            *_toolbox("CogTotalComp", 80, 155, 62, 155, "Mean of fluid and crystallized"),
        ),
        group(
            _COGNITION,
            "Cognition Crystallized Composite",
            *_toolbox("CogCrystalComp", 85, 155, 62, 155, "Mean of reading and vocabulary"),
        ),
        group(
            _EMOTION,
            "Emotion Recognition (Penn Emotion Recognition Test)",
            integer("ER40_CR", 24, 40, "Emotion recognition: faces named right, of 40"),
            number("ER40_CRT", 1248, 5020, "Emotion recognition: median reaction time of right answers, ms"),
            integer("ER40ANG", 2, 8, "Emotion recognition: angry faces named right, of 8"),
            integer("ER40FEAR", 1, 8, "Emotion recognition: fearful faces named right, of 8"),
            integer("ER40HAP", 7, 8, "Emotion recognition: happy faces named right, of 8"),
            integer("ER40NOE", 0, 8, "Emotion recognition: neutral faces named right, of 8"),
            integer("ER40SAD", 2, 8, "Emotion recognition: sad faces named right, of 8"),
        ),
        group(
            _EMOTION,
            "Negative Affect (Sadness, Fear, Anger)",
            *_t_scores(
                ("AngAffect", 28.6, 85.4, "Anger as a feeling"),
                ("AngHostil", 36.6, 74, "Anger as hostility"),
                ("AngAggr", 43.4, 83.1, "Anger as aggression"),
                ("FearAffect", 32.9, 84.9, "Fear as a feeling"),
                ("FearSomat", 40.1, 87.5, "Fear in the body"),
                ("Sadness", 34.2, 76.9, "Sadness"),
            ),
        ),
        group(
            _EMOTION,
            "Psychological Well-being (Positive Affect, Life Satisfaction, Meaning and Purpose)",
            *_t_scores(
                ("LifeSatisf", 23.7, 74.6, "Satisfaction with life"),
                ("MeanPurp", 29.4, 71.6, "Meaning and purpose"),
                ("PosAffect", 25.4, 71.6, "Good feelings"),
            ),
        ),
        group(
            _EMOTION,
            "Social Relationships (Social Support, Companionship, Social Distress, Positive Social Development)",
            *_t_scores(
                ("Friendship", 20.8, 66.5, "Friendship"),
                ("Loneliness", 37.6, 82.9, "Loneliness"),
                ("PercHostil", 33.5, 80.2, "Hostility seen in others"),
                ("PercReject", 35.9, 79.3, "Rejection felt from others"),
                ("EmotSupp", 15.9, 62.5, "Emotional support"),
                ("InstruSupp", 22.1, 62.9, "Practical support"),
            ),
        ),
        group(
            _EMOTION,
            "Stress and Self Efficacy (Perceived Stress, Self-Efficacy)",
            *_t_scores(("PercStress", 22.4, 75.3, "Stress"), ("SelfEff", 24.1, 68.4, "Trust in one's own doing")),
        ),
        group(
            _TASK,
            "Emotion",
            number("Emotion_Task_Acc", 83.3, 100, "Matching task: percent right"),
            number("Emotion_Task_Median_RT", 400, 1600, "Matching task: median reaction time, ms"),
            number("Emotion_Task_Face_Acc", 83.3, 100, "Matching task: percent right, faces"),
            number("Emotion_Task_Face_Median_RT", 400, 1600, "Matching task: median reaction time in ms, faces"),
            number("Emotion_Task_Shape_Acc", 83.3, 100, "Matching task: percent right, shapes"),
            number("Emotion_Task_Shape_Median_RT", 400, 1600, "Matching task: median reaction time in ms, shapes"),
        ),
        group(
            _TASK,
            "Gambling",
            number("Gambling_Task_Perc_Larger", 0, 100, "Guessing task: percent guessed larger"),
            number("Gambling_Task_Perc_Smaller", 0, 100, "Guessing task: percent guessed smaller"),
            number("Gambling_Task_Perc_NLR", 0, 100, "Guessing task: percent without an answer"),
            number("Gambling_Task_Median_RT_Larger", 150, 1500, "Guessing task: median reaction time of larger, ms"),
            number("Gambling_Task_Median_RT_Smaller", 150, 1500, "Guessing task: median reaction time of smaller, ms"),
        ),
        group(
            _TASK,
            "Language",
            number("Language_Task_Acc", 61.9, 100, "Story and sums: percent right"),
            number("Language_Task_Median_RT", 2400, 5000, "Story and sums: median reaction time, ms"),
            number("Language_Task_Story_Acc", 61.9, 100, "Story and sums: percent right, stories"),
            number("Language_Task_Story_Median_RT", 2400, 5000, "Story and sums: median reaction time in ms, stories"),
            number("Language_Task_Story_Avg_Difficulty_Level", 1, 14, "Story and sums: mean level, stories"),
            number("Language_Task_Math_Acc", 61.9, 100, "Story and sums: percent right, sums"),
            number("Language_Task_Math_Median_RT", 2400, 5000, "Story and sums: median reaction time in ms, sums"),
            number("Language_Task_Math_Avg_Difficulty_Level", 1, 5, "Story and sums: mean level, sums"),
        ),
        group(
            _TASK,
            "Relational",
            number("Relational_Task_Acc", 35.4, 98.3, "Relations task: percent right"),
            number("Relational_Task_Median_RT", 800, 2800, "Relations task: median reaction time, ms"),
            number("Relational_Task_Match_Acc", 35.4, 98.3, "Relations task: percent right, matching"),
            number(
                "Relational_Task_Match_Median_RT", 800, 2800, "Relations task: median reaction time in ms, matching"
            ),
            number("Relational_Task_Rel_Acc", 35.4, 98.3, "Relations task: percent right, relations"),
            number("Relational_Task_Rel_Median_RT", 800, 2800, "Relations task: median reaction time in ms, relations"),
        ),
        group(_TASK, "Social", *_social()),
        group(_TASK, "Working Memory", *_working_memory()),
        group(
            "Motor",
            "Endurance (2 minute walk test)",
            *_toolbox("Endurance", 81.58, 144.04, 70, 140, "Walking for two minutes"),
        ),
        group("Motor", "Locomotion (4-meter walk test)", number("GaitSpeed_Comp", 0.79, 2.0, "Walking speed, m/s")),
        group("Motor", "Dexterity (9-hole Pegboard)", *_toolbox("Dexterity", 85.15, 148.67, 60, 140, "Placing pegs")),
        group(
            "Motor",
            "Strength (Grip Strength Dynamometry)",
            *_toolbox("Strength", 88.8, 151.26, 65, 150, "Strength of the grip"),
        ),
        group(
            "Personality",
            "Five Factor Model (NEO-FFI) Factor Summary Scores",
            integer("NEOFAC_A", 0, 48, "Agreeableness: sum of twelve items"),
            integer("NEOFAC_O", 0, 48, "Openness: sum of twelve items"),
            integer("NEOFAC_C", 0, 48, "Conscientiousness: sum of twelve items"),
            integer("NEOFAC_N", 0, 48, "Neuroticism: sum of twelve items"),
            integer("NEOFAC_E", 0, 48, "Extraversion: sum of twelve items"),
        ),
        group("Personality", "Five Factor Model (NEO-FFI) Raw Scores", *_items()),
        group("Sensory", "Audition (Words in Noise)", number("Noise_Comp", -2, 26, "Words in noise: threshold, dB")),
        group(
            "Sensory",
            "Olfaction (Odor Identification Test)",
            number("Odor_Unadj", 82.74, 122.25, "Naming odours: scaled to the whole norm sample; takes six values"),
            number("Odor_AgeAdj", 70, 120, "Naming odours: scaled to people of the same age"),
        ),
        group(
            "Sensory",
            "Pain (Pain Intensity and Interference Surveys)",
            integer("PainIntens_RawScore", 0, 10, "Pain in the past week, 0 none to 10"),
            number("PainInterf_Tscore", 38.6, 64.2, "How much pain disturbs daily life"),
        ),
        group(
            "Sensory",
            "Taste (Taste Intensity Test)",
            *_toolbox("Taste", 56.35, 134.65, 50, 135, "How strong bitter and salt taste"),
        ),
        group(
            "Sensory",
            "Contrast Sensitivity (Mars Contrast Sensitivity)",
            number("Mars_Log_Score", 1.56, 1.92, "Contrast letters: log sensitivity of the last letter read"),
            integer("Mars_Errs", 0, 4, "Contrast letters: errors before it"),
            number("Mars_Final", 1.4, 1.92, "Contrast letters: score less 0.04 for each error"),
        ),
    )
)

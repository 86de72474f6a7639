"""What each character does to a token: classes of characters beyond ASCII, frozen.

Written by `python -m tools.character_classes`: Unicode 15.1.0.
Inclusive ranges of code points, in base 16.
"""

IGNORED = (
    "ad 34f 61c 115f-1160 17b4-17b5 180b-180f 200c-200f 202a-202e 2060-206f 3164 fe00-fe0f feff "
    "ffa0 fff0-fff8 1bca0-1bca3 1d173-1d17a e0000-e0fff "
)
SEPARATORS = (
    "85 a0-a5 a7-a8 ab-ac af b1 b4 b6 b8 bb bf d7 f7 2c2-2c5 2d2-2df 2e5-2eb 2ed 2ef-2ff 375 37e "
    "384-385 3f6 55a 55d 55f 589-58a 58f 5be 5c0 5c3 5c6 606-60d 61b 61d-61f 66a-66d 6d4 700-70d "
    "7f7-7f9 7fe-7ff 830-83e 85e 888 964-965 970 9f2-9f3 9fb 9fd a76 af0-af1 bf9 c77 c84 df4 e3f "
    "e4f e5a-e5b f04-f12 f14 f3a-f3d f85 fd0-fd4 fd9-fda 104a-104f 10fb 1360-1368 1400 166e 1680 "
    "169b-169c 16eb-16ed 1735-1736 17d4-17d6 17d8-17db 1800-180a 1944-1945 1a1e-1a1f 1aa0-1aa6 "
    "1aa8-1aad 1b5a-1b60 1b7d-1b7e 1bfc-1bff 1c3b-1c3f 1c7e-1c7f 1cc0-1cc7 1cd3 1fbd 1fbf-1fc1 "
    "1fcd-1fcf 1fdd-1fdf 1fed-1fef 1ffd-1ffe 2000-200b 2010-2017 201a 201c-2026 2028-2029 "
    "202f-205f 207a-207e 208a-208e 20a0-20c0 2118 2140-2144 214b 2190-2194 219a-219b 21a0 21a3 "
    "21a6 21ae 21ce-21cf 21d2 21d4 21f4-22ff 2308-230b 2320-2321 2329-232a 237c 239b-23b3 "
    "23dc-23e1 25b7 25c1 25f8-25ff 266f 2768-2775 27c0-27ff 2900-2aff 2b30-2b44 2b47-2b4c "
    "2cf9-2cfc 2cfe-2cff 2d70 2e00-2e2e 2e30-2e4f 2e52-2e5d 3000-3003 3008-3011 3014-301f 3030 "
    "303d 309b-309c 30a0 30fb a4fe-a4ff a60d-a60f a673 a67e a6f2-a6f7 a700-a716 a720-a721 "
    "a789-a78a a838 a874-a877 a8ce-a8cf a8f8-a8fa a8fc a92e-a92f a95f a9c1-a9cd a9de-a9df "
    "aa5c-aa5f aade-aadf aaf0-aaf1 ab5b ab6a-ab6b abeb fb29 fbb2-fbc2 fd3e-fd3f fdfc fe10-fe19 "
    "fe30-fe52 fe54-fe66 fe68-fe6b ff01-ff0f ff1a-ff20 ff3b-ff40 ff5b-ff65 ffe0-ffe3 ffe5-ffe6 "
    "ffe9-ffec 10100-10102 1039f 103d0 1056f 10857 1091f 1093f 10a50-10a58 10a7f 10af0-10af6 "
    "10b39-10b3f 10b99-10b9c 10ead 10f55-10f59 10f86-10f89 11047-1104d 110bb-110bc 110be-110c1 "
    "11140-11143 11174-11175 111c5-111c8 111cd 111db 111dd-111df 11238-1123d 112a9 1144b-1144f "
    "1145a-1145b 1145d 114c6 115c1-115d7 11641-11643 11660-1166c 116b9 1173c-1173e 1183b "
    "11944-11946 119e2 11a3f-11a46 11a9a-11a9c 11a9e-11aa2 11b00-11b09 11c41-11c45 11c70-11c71 "
    "11ef7-11ef8 11f43-11f4f 11fdd-11fe0 11fff 12470-12474 12ff1-12ff2 16a6e-16a6f 16af5 "
    "16b37-16b3b 16b44 16e97-16e9a 16fe2 1bc9f 1d6c1 1d6db 1d6fb 1d715 1d735 1d74f 1d76f 1d789 "
    "1d7a9 1d7c3 1da87-1da8b 1e2ff 1e95e-1e95f 1ecb0 1eef0-1eef1 1f3fb-1f3ff "
)
ALONE = (
    "a6 a9 ae b0 482 58d-58e 60e-60f 6de 6e9 6fd-6fe 7f6 9fa b70 bf3-bf8 bfa c7f d4f d79 f01-f03 "
    "f13 f15-f17 f1a-f1f f34 f36 f38 fbe-fc5 fc7-fcc fce-fcf fd5-fd8 109e-109f 1390-1399 166d "
    "1940 19de-19ff 1b61-1b6a 1b74-1b7c 2100-2101 2103-2106 2108-2109 2114 2116-2117 211e-2123 "
    "2125 2127 2129 212e 213a-213b 214a 214c-214d 214f 218a-218b 2195-2199 219c-219f 21a1-21a2 "
    "21a4-21a5 21a7-21ad 21af-21cd 21d0-21d1 21d3 21d5-21f3 2300-2307 230c-231f 2322-2328 "
    "232b-237b 237d-239a 23b4-23db 23e2-2426 2440-244a 249c-24e9 2500-25b6 25b8-25c0 25c2-25f7 "
    "2600-266e 2670-2767 2794-27bf 2800-28ff 2b00-2b2f 2b45-2b46 2b4d-2b73 2b76-2b95 2b97-2bff "
    "2ce5-2cea 2e50-2e51 2e80-2fff 3004-3007 3012-3013 3020-302f 3031-303c 303e-309a 309d-309f "
    "30a1-30fa 30fc-312f 3190-3191 3196-31e3 31ef-321e 322a-3247 3250 3260-327f 328a-32b0 "
    "32c0-9fff a490-a4c6 a828-a82b a836-a837 a839 aa77-aa79 f900-faff fd40-fd4f fdcf fdfd-fdff "
    "ffe4 ffe8 ffed-ffee fffc-fffd 10137-1013f 10179-10189 1018c-1018e 10190-1019c 101a0 "
    "101d0-101fc 10877-10878 10ac8 1173f 11fd5-11fdc 11fe1-11ff1 16b3c-16b3f 16b45 1bc9c "
    "1cf50-1cfc3 1d000-1d0f5 1d100-1d126 1d129-1d164 1d16a-1d16c 1d183-1d184 1d18c-1d1a9 "
    "1d1ae-1d1ea 1d200-1d241 1d245 1d300-1d356 1d800-1d9ff 1da37-1da3a 1da6d-1da74 1da76-1da83 "
    "1da85-1da86 1e14f 1ecac 1ed2e 1f000-1f0ff 1f10d-1f3fa 1f400-1fb92 1fb94-1fbca 20000-3ffff "
)
PIECES = (
    "e01-e2f e40-e44 e46 e81-e82 e84 e86-e8a e8c-ea3 ea5 ea7-eaf ebd ec0-ec4 ec6 edc-edf "
    "1000-102a 103f 1050-1055 105a-105d 1061 1065-1066 106e-1070 1075-1081 108e 1780-17b3 17d7 "
    "17dc 1950-196d 1970-1974 1980-19ab 19b0-19c9 1a20-1a54 1aa7 1b05-1b33 1b45-1b4c a000-a48c "
    "a984-a9b2 a9cf a9e0-a9e4 a9e6-a9ef a9fa-a9fe aa60-aa76 aa7a aa7e-aaaf aab1 aab5-aab6 "
    "aab9-aabd aac0 aac2 aadb-aadd "
)
MARKS = (
    "e30-e3a e45 e47-e4e eb0-ebc ec8-ece 102b-103e 1056-1059 105e-1060 1062-1064 1067-106d "
    "1071-1074 1082-108d 108f 109a-109d 17b6-17d3 17dd 1a55-1a5e 1a60-1a7c 1a7f 1b00-1b04 "
    "1b34-1b44 a980-a983 a9b3-a9c0 a9e5 aa7b-aa7d aab0 aab2-aab4 aab7-aab8 aabe-aabf aac1 "
)

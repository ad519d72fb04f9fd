// SPDX-License-Identifier: Apache-2.0

/// Private keys made for these tests, known to nobody who lets anybody in.
enum TestKeys {
  static let all = [
    """
    {"kty":"RSA","kid":"rsa-PS256","n":"3RTaOIWOkyPiXTRR8vWXmorSJhnEsOJOGZDNeg4ZjYdUMYWgeu8vbpSJf8FcZvEv\
    t6x93-XUH1Oh8xZwBXS1b8OSVW0KWeRzDQPqWT_6AFmu1I7wLUTmuPY9RltKbCQc9PZ7JpGRHjFNAqJa-mREkIGhEd-Waco7kivp\
    BurcbTr1R-zlVGchZCQkW4XgHn2zZcn3mKWj65jml8AHXP95NzN7lHXab8_LZgJEEStt42LS9HL2KU4u2ZYvyyx1ydyKtj3k5YOB\
    eAKxm3MuajbOAH7AqBzrJ0iSAG4YTorYNerpDAA_mqZv6ASk2rwROoutEa80DuvtaQXMOLrjg1oD1w","e":"AQAB","d":"A3-u\
    0RctVvR0mCSu_qksAYpHN3V6mzwG9WOeb4XlRKFKz_p9PC9924JRR2rQI2GXb5DfcG7ViRC3RD7A021HPndktk0NTWKOqZA8IgvK\
    UT1vcAtlD1UC-7614IpVpq7O9dd9bRz_pBqD9_yJc7io1x_zZHIv515dIVE9lQTxgRmsD47lXjwq6EQMW0Rs9aJQGDEdjlDeAXiX\
    sWcmPjbVJF-UzMBpL6GxyemUFeVRqfG9D6blHbqiy3Rcyyh-XdfpM10oBcHU-ct4SBSUbXg4MJJWBf7TQlU8QZnncieyIvJuRgp0\
    -363JDP_l9hR7mRRyuygGSj7B-j7m1doSE8hUQ","alg":"PS256","p":"-H68qOhLV-xZhRHL_YE5LhUMiN1WXQLzjRlKVZifC\
    Hy4YT7WNasap0XjoJLOUq7JpEXQM9jBpudqhu5recouVEni53S7lEMtFW5hI1RjiWGxXCJaFgdFi2RUNC45qrsGXhz6EAISU95pS\
    8_NGE0CrS0KcI4QD214fTK8dmIi3Ac","q":"48IqH-wz28poMMvmAtoAgT3Y2fQZRBw1VQ1etBq_TFpegrNyp4Odtlf58b5wTYi\
    _xKf7d9Mj3u4PIY4mq7JwCun78uO265yjZzgrthUheP_B7tP1x8xr3SRkVrin_REcb4B4qpwRTI8a91aQ5458fUMIo_ZpNdawb6X\
    Z_SP-RbE"}
    """,
    """
    {"kty":"RSA","kid":"rsa-none","n":"oB_nPgwnUwjieSfs-Tqk1I8xlP_jJwY96p4_KRDmtKocU_rtvL-EaPYRtOOP3OQF8\
    RI1IVnh2NCKwCm8_4oOg6Ky2qBAyTDCUjTGTb6IFTzPoWPsa_Q60JKD36DcFC8o27n9Td87-kDxwLs1GnhGOq7wuExz1e1h33pw1\
    poqB_gOytz9YFIYvaPEOLcgTUFP2FXXFTthvPGRzOn_7zcxOGC35-oG8r79qnXWW4Sx-I-J93nIMnP8bjr4UlbSBp5SSdCQ4cf9M\
    Ogg80aMB6BQIipiyViOaVMp8aUkr6r1iYjXTAgnqKo5i40_J-Cm582dqjocMyzKPuG361HlyKhciQ","e":"AQAB","d":"HH4Ay\
    jgkaTCMB-30S1bFjLMcKfysYT3Jl61n5LlGrAAXAVSFqA_WEk0y0mKpry795asNPC1_s_JLtizXHgtlUMQLGj7ouEQOV81fOec81\
    LaY5YlfwMfZDVL81zaK4qaPmSWLrqcZx4p12gsVxGuBZ6DIYars87SFNVxWpsEQ2JDhcLYuJFeiZdFbX84dz5mDyUV3464jjr_VZ\
    RNN21YetpkbNOmhB4Wdm7U3tDjpParm13AArXDwHBr36Lk3SUzlKKd8f1lOc7MRRqDXLpkhjnLQ-4hN6UwNdAbd5IffgdMcc2n7v\
    HVLCjO3i0XiN4rMSd6xU0Nt2TmHdPNqk_RNlw"}
    """,
    """
    {"kty":"EC","crv":"P-256","kid":"ec-P-256","x":"fSVCWYlBU3bApOnAFSRqiCOdCwYJ0UpMAAFkjzzcLJA","y":"Eb\
    psXnmSJd6PsOuirTp2QKDGhtLgnx8ZHfRPM_Ay7o4","d":"aiHXU19eMiXOBTNC-M2WQyG4_btZ9y5lmIIW6OS4nSc"}
    """,
    """
    {"kty":"EC","crv":"P-384","kid":"ec-P-384","x":"UE_6FW3gat_TC0RO6OWeIq3zDJNU3dR8UtbaGlZs20Xo8Jo46TiL\
    WfOo9XnpsqpD","y":"D14SjJPAu7b1b04tNoB2xxVYAwdLAAr8fbRLpBLd1y9305bz49VSqWbTU_UvUzjs","d":"gmm5tBJiqW\
    nIoBt4M4RjItHnllTG2DX296t8W6nAWhdQjXHL6gVlxI7dWdsBZ02-"}
    """,
  ]
}
